package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"fanout/pkg/shard"
	"fanout/pkg/shard/leases"
)

// leaseOptions are for what is to be said and read by Leases: of replicas, or of the leader.
func (f *flags) leaseOptions() leases.Options {
	e := f.leaderElection
	return leases.Options{
		Namespace: e.ResourceNamespace, Name: e.ResourceName,
		Timing:      shard.Timing{Lease: e.LeaseDuration.Duration, Renew: e.RenewDeadline.Duration},
		RetryPeriod: e.RetryPeriod.Duration,
		Clock:       clock.RealClock{},
	}
}

// newReplica returns this process as one of several that share the members.
func newReplica(hub kubernetes.Interface, f *flags, metrics *leases.Metrics) (*leases.Replica, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("share members: %w", err)
	}
	id := string(uuid.NewUUID())
	options := f.leaseOptions()
	options.Identity = host + "_" + id
	options.Suffix, _, _ = strings.Cut(id, "-")
	options.Metrics = metrics
	return leases.New(hub, options), nil
}

// shareWork runs work, which takes what the replica's share is, until ctx ends. The replica's Lease is renewed until the work has
// stopped, and released then.
func shareWork(ctx context.Context, replica *leases.Replica, work func(context.Context)) {
	klog.FromContext(ctx).Info("Sharing the members with other replicas", "lease", replica.Name())
	sharing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	running.Go(func() { replica.Run(sharing) })
	work(ctx)
	stop()
	running.Wait()
}

// afterReplicas is work that waits until no replica shares the members any more.
func afterReplicas(hub kubernetes.Interface, f *flags, work func(context.Context)) func(context.Context) {
	return func(ctx context.Context) {
		if f.leaderElection.LeaderElect && leases.AwaitNone(ctx, hub, f.leaseOptions()) != nil {
			return // as it was asked to
		}
		work(ctx)
	}
}
