package leases

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"

	"fanout/pkg/shard"
)

// AwaitNone is for a leader, who divides with nobody: it returns nil when no replica shares any more, which those that begin
// now will not while it leads. Who may not list Leases has no replicas that share.
func AwaitNone(ctx context.Context, hub kubernetes.Interface, options Options) error {
	leases := hub.CoordinationV1().Leases(options.Namespace)
	state := shard.NewReplica("", options.Timing)
	told := ""
	for {
		asked := options.Clock.Now()
		all, err := listWithin(ctx, options, leases)
		switch {
		case apierrors.IsForbidden(err):
			return nil
		case err != nil:
			klog.FromContext(ctx).Error(err, "See whether replicas share the members; trying again")
		default:
			state.Observe(all, asked, options.Clock.Now())
			sharing := state.Wanted(asked)[1:] // the first is the leader
			if len(sharing) == 0 {
				return nil
			}
			if sharing.String() != told {
				told = sharing.String()
				klog.FromContext(ctx).Info("Waiting for replicas to stop that share the members, with --shard", "leases", sharing)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-options.Clock.After(min(options.RetryPeriod, time.Second)):
		}
	}
}

func listWithin(ctx context.Context, options Options, leases lister) ([]shard.Announcement, error) {
	ctx, cancel := context.WithTimeout(ctx, options.Timing.Renew)
	defer cancel()
	return options.list(ctx, leases)
}
