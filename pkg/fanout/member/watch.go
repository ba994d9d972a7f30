package member

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
)

// watchBackoff paces what follows a broken watch. It stays short: it is also how soon a member's Canary CRD is
// noticed after it was installed.
var watchBackoff = wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 10, Cap: 5 * time.Second}

// watchReset is how long a watch must have gone well for the backoff to start over.
const watchReset = 30 * time.Second

// watch keeps the view current until ctx ends. Each OrphanSweepPeriod it begins anew with a fresh list, which
// brings up whatever a watch may have missed.
func (m *Member) watch(ctx context.Context) {
	told := ""
	for ctx.Err() == nil {
		m.watchUntilSweep(ctx, &told)
	}
}

// watchUntilSweep watches until the next sweep is due. Told is the trouble last told of.
func (m *Member) watchUntilSweep(ctx context.Context, told *string) {
	ctx, cancel := context.WithTimeout(ctx, wait.Jitter(m.options.OrphanSweepPeriod, 0.1))
	defer cancel()
	logger := klog.FromContext(ctx)
	reflector := cache.NewReflectorWithOptions(clusters.NoticeRestore(m.listerWatcher()), &sighting{}, m.view, cache.ReflectorOptions{
		Name: "derived", Logger: &logger,
	})
	// The reflector's own loop would hide the error and wait up to 30 s for a CRD that is not there yet.
	_ = watchBackoff.DelayWithReset(m.options.Clock, watchReset).Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		began := m.options.Clock.Now()
		err := reflector.ListAndWatchWithContext(ctx)
		if m.options.Clock.Since(began) > watchReset {
			*told = ""
		}
		if err == nil || ctx.Err() != nil {
			return false, nil
		}
		why := reason(err)
		m.metrics.failed(why)
		if why == *told {
			logger.V(2).Info("Still no watch of derived Canaries", "reason", why, "err", err)
			return false, nil
		}
		*told = why
		logger.Info("Watch of derived Canaries ended", "reason", why, "err", err)
		if advice := adviceOn(why); advice != "" && m.warnOwner != nil {
			m.warnOwner(why, advice)
		}
		return false, nil
	})
}

// adviceOn tells the member's owner what to do about a watch that can't be had, empty where that is nothing.
func adviceOn(reason string) string {
	switch reason {
	case reasonCRDMissing:
		return "The cluster does not serve " + derive.Canaries.GroupVersion().String() + ": install canary-checker, or its Canary CRD. What belongs there follows within seconds."
	case reasonForbidden:
		return "The credential may not list and watch Canaries in all namespaces: grant it the ClusterRole of docs/manifests/member.yaml. What belongs there follows within seconds."
	default:
		return ""
	}
}

// listerWatcher lists and watches what carries this hub's ID, in all namespaces.
func (m *Member) listerWatcher() *cache.ListWatch {
	selected := func(options metav1.ListOptions) metav1.ListOptions {
		options.LabelSelector = derive.LabelHub + "=" + m.options.HubID
		return options
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
			defer cancel()
			list, err := m.client.List(ctx, selected(options))
			return list, unrepeated(err)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return m.follow(ctx, selected(options))
		},
	}
}
