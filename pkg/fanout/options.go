package fanout

import (
	"time"

	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"fanout/pkg/fanout/member"
	"fanout/pkg/results"
	"fanout/pkg/shard"
)

// Options says how a Controller works. The zero value of a field is not a default: all are to be set.
type Options struct {
	// HubID is the UID of the hub's kube-system Namespace. It marks what this hub owns in the members.
	HubID string
	// CreateNamespaces lets fanout create a derived Canary's namespace in a member that lacks it.
	CreateNamespaces bool
	// ConcurrentSyncs bounds the requests in flight per member.
	ConcurrentSyncs int
	// RequestTimeout bounds each request to a member or to the hub, watches aside.
	RequestTimeout time.Duration
	// ResyncPeriod is how often everything is compared again, from memory.
	ResyncPeriod time.Duration
	// OrphanSweepPeriod is how often a member's derived Canaries are listed afresh.
	OrphanSweepPeriod time.Duration
	// Share is the part of the members that this replica works with; nil is all of them. Whoever has the hub itself tells the
	// owners of parents what concerns no member.
	Share *shard.Share
	// Version is fanout's own, for those who ask.
	Version string
	// Replica is the name of this one, and Owner returns that of the one that a key falls to: only where there is a Share.
	Replica string
	Owner   func(key string) string
	// MirrorLimit is how many mirrors of copies may stand in the hub; with 0 none do, and nothing is done about them where there is a Share.
	MirrorLimit int
	// Recorder tells the owners of parents what is wrong with them.
	Recorder record.EventRecorder
	// Metrics counts what is done.
	Metrics *Metrics
	// Clock is the time.
	Clock clock.WithDelayedExecution

	results *results.Reader // the members' in common
}

// ofMembers is the part that each member works by.
func (o Options) ofMembers() member.Options {
	return member.Options{
		Results: o.results,
		HubID:   o.HubID, CreateNamespaces: o.CreateNamespaces, ConcurrentSyncs: o.ConcurrentSyncs,
		RequestTimeout: o.RequestTimeout, OrphanSweepPeriod: o.OrphanSweepPeriod, Metrics: o.Metrics.members, Clock: o.Clock,
	}
}
