package member

import (
	"math/rand/v2"
	"time"

	"k8s.io/utils/clock"

	"fanout/pkg/results"
)

// Options says how a Member works. The zero value of a field is not a default: all are to be set.
type Options struct {
	// HubID is the UID of the hub's kube-system Namespace. It marks what this hub owns in the members.
	HubID string
	// CreateNamespaces lets fanout create a derived Canary's namespace in a member that lacks it.
	CreateNamespaces bool
	// ConcurrentSyncs bounds the requests in flight per member.
	ConcurrentSyncs int
	// RequestTimeout bounds each request, watches aside.
	RequestTimeout time.Duration
	// OrphanSweepPeriod is how often the member's derived Canaries are listed afresh.
	OrphanSweepPeriod time.Duration
	// Results reads what copies say of how they fare.
	Results *results.Reader
	// Metrics counts what is done.
	Metrics *Metrics
	// Clock is the time.
	Clock clock.WithDelayedExecution
}

const (
	retryBaseDelay = 50 * time.Millisecond
	retryMaxDelay  = time.Minute
)

// backoff is the delay of a sync that has failed so often before: exponential, and with jitter, so that what failed together is
// not tried again together.
func backoff(failures int) time.Duration {
	delay := min(retryBaseDelay<<min(failures, 30), retryMaxDelay)
	return delay/2 + rand.N(delay)
}
