// Package leases keeps what one replica announces in a Lease of the hub, and what is its share of the work in step with what it
// and the others have announced, by the rules of package shard.
package leases

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/client-go/kubernetes"
	typedcoordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"fanout/pkg/shard"
)

// Options says how a Replica works. All are to be set.
type Options struct {
	// Namespace holds the Leases, and Name is that of the Lease by which replicas elect a leader where they do not share.
	Namespace, Name string
	// Identity says to people which process a Lease is of. Another process must not have the same.
	Identity string
	// Suffix makes a Lease's name of Name. It has to be another one for each process.
	Suffix string
	// Contact is where the other replicas reach this one; its Replica is not used.
	Contact shard.Contact
	// Timing says how long a Lease holds.
	Timing shard.Timing
	// RetryPeriod is how often the Lease is renewed, and those of the others are read.
	RetryPeriod time.Duration
	// Metrics tells how many replicas share.
	Metrics *Metrics
	// Clock is the time.
	Clock clock.Clock
}

// Replica is this process as one among several.
type Replica struct {
	options Options
	name    string
	leases  typedcoordinationv1.LeaseInterface
	share   *shard.Share
	news    chan struct{}

	writing sync.Mutex // held while the Lease is written
	lease   *coordinationv1.Lease
	said    shard.View // what it says, or may say

	mu    sync.Mutex
	state *shard.Replica
}

// New returns a replica that has no share before Run. It does no I/O.
func New(hub kubernetes.Interface, options Options) *Replica {
	r := &Replica{
		options: options,
		name:    options.Name + "-" + options.Suffix,
		leases:  hub.CoordinationV1().Leases(options.Namespace),
		news:    make(chan struct{}, 1),
	}
	r.state = shard.NewReplica(r.name, options.Timing)
	r.share = shard.NewShare(r.permit)
	return r
}

// Name is the replica's, and its Lease's.
func (r *Replica) Name() string { return r.name }

// Owner is the replica that key falls to, as this one sees it; "" while it has no share.
func (r *Replica) Owner(key string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.View().Owner(key)
}

// Contacts returns where the replicas are reached with which this one shares. They change with the share.
func (r *Replica) Contacts() []shard.Contact {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Contacts()
}

// Share is what it may work with.
func (r *Replica) Share() *shard.Share { return r.share }

var errLapsed = errors.New("this replica's Lease was not renewed in time")

// permit returns an error while nothing may be written.
func (r *Replica) permit() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if until := r.state.Until(); until.IsZero() || r.state.Lapsed(r.options.Clock.Now()) {
		return errLapsed
	}
	return nil
}

// Run has a share until ctx ends. Then it lets go of all, and says so.
func (r *Replica) Run(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { r.watch(ctx) })
	running.Go(func() { r.renew(ctx) })
	r.follow(ctx)
	r.share.Set(nothing)
	running.Wait()
	r.release(ctx)
	r.options.Metrics.forget()
}

func nothing(string) bool { return false }

// follow keeps the share in step until ctx ends.
func (r *Replica) follow(ctx context.Context) {
	told := ""
	for ctx.Err() == nil {
		err := r.turn(ctx)
		switch {
		case err == nil:
			told = ""
		case ctx.Err() == nil && err.Error() != told:
			told = err.Error()
			klog.FromContext(ctx).Error(err, "Follow the other replicas; trying again")
		}
		select {
		case <-ctx.Done():
		case <-r.news:
		case <-r.options.Clock.After(r.pause()):
		}
	}
}

// pause is until the Leases are to be read again, or the own one has run out.
func (r *Replica) pause() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if until := r.state.Until(); !until.IsZero() {
		return max(0, min(r.options.RetryPeriod, until.Sub(r.options.Clock.Now())))
	}
	return r.options.RetryPeriod
}

// turn reads the Leases and does what follows, until nothing does.
func (r *Replica) turn(ctx context.Context) error {
	for {
		r.lapse(ctx)
		asked, err := r.read(ctx)
		if err != nil {
			return err
		}
		if !r.announce(ctx, asked) {
			r.take(ctx)
			return r.sweep(ctx, asked)
		}
		if err := r.publish(ctx, true); err != nil {
			return err
		}
	}
}

// lapse lets go of all where the Lease was not renewed in time.
func (r *Replica) lapse(ctx context.Context) {
	r.mu.Lock()
	lapsed := r.state.Lapsed(r.options.Clock.Now())
	r.mu.Unlock()
	if !lapsed {
		return
	}
	klog.FromContext(ctx).Info("Could not renew the Lease in time; letting go of all members", "lease", r.name)
	r.options.Metrics.forget()
	r.share.Set(nothing)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Reset()
}

// announce lets go of what is not this replica's by the view that is to be acted upon, and tells whether that is to be
// published.
func (r *Replica) announce(ctx context.Context, asked time.Time) bool {
	r.mu.Lock()
	wanted := r.state.Wanted(asked)
	same := slices.Equal(wanted, r.state.View())
	if same && r.state.Announced() {
		r.mu.Unlock()
		return false
	}
	if !same {
		r.state.Announce(wanted)
	}
	holds := r.state.Holds()
	r.mu.Unlock()
	if !same {
		klog.FromContext(ctx).Info("Sharing members with other replicas", "replicas", wanted)
	}
	r.share.Set(holds)
	return true
}

// take begins what others have let go of.
func (r *Replica) take(ctx context.Context) {
	r.mu.Lock()
	changed, view, agreed := r.state.Changed(), r.state.View(), r.state.Agreed()
	holds := r.state.Holds()
	r.mu.Unlock()
	r.options.Metrics.share(len(view), agreed)
	if !changed {
		return
	}
	if agreed {
		klog.FromContext(ctx).Info("All replicas agree on who has which member", "replicas", view)
	}
	r.share.Set(holds)
}

// renew renews the Lease until ctx ends, whatever else is under way.
func (r *Replica) renew(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.options.Clock.After(r.options.RetryPeriod):
		}
		if err := r.publish(ctx, false); err != nil && ctx.Err() == nil {
			klog.FromContext(ctx).V(2).Info("Renew the Lease", "lease", r.name, "err", err)
		}
	}
}

// bounded is ctx for requests on which the Lease depends.
func (r *Replica) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.options.Clock.Now()
	left := r.options.Timing.Renew
	if until := r.state.Until(); !until.IsZero() && until.After(now) {
		left = until.Sub(now)
	}
	return context.WithTimeout(ctx, left)
}

func (r *Replica) describe(doing string, err error) error {
	return fmt.Errorf("%s the Lease %s/%s: %w", doing, r.options.Namespace, r.name, err)
}
