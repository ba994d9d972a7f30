package fanout

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// watchBackoff paces what follows a broken watch. It stays short: it is also how soon a member's Canary CRD is
// noticed after it was installed.
var watchBackoff = wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 10, Cap: 5 * time.Second}

// watchReset is how long a watch must have gone well for the backoff to start over.
const watchReset = 30 * time.Second

// watch keeps the view current until ctx ends. Each OrphanSweepPeriod it begins anew with a fresh list, which
// brings up whatever a watch may have missed.
func (m *member) watch(ctx context.Context) {
	for ctx.Err() == nil {
		m.watchUntilSweep(ctx)
	}
}

func (m *member) watchUntilSweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, wait.Jitter(m.options.OrphanSweepPeriod, 0.1))
	defer cancel()
	expected := &unstructured.Unstructured{}
	expected.SetAPIVersion(Canaries.GroupVersion().String())
	expected.SetKind(canaryKind)
	logger := klog.FromContext(ctx)
	reflector := cache.NewReflectorWithOptions(m.listerWatcher(), expected, m.view, cache.ReflectorOptions{
		Name: "derived", Logger: &logger,
	})
	// The reflector's own loop would hide the error and wait up to 30 s for a CRD that is not there yet.
	_ = watchBackoff.DelayWithReset(m.options.Clock, watchReset).Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		err := reflector.ListAndWatchWithContext(ctx)
		if err != nil && ctx.Err() == nil {
			why := reason(err)
			m.metrics.failed(why)
			logger.Info("Watch of derived Canaries ended", "reason", why, "err", err)
		}
		return false, nil
	})
}

// listerWatcher lists and watches what carries this hub's ID, in all namespaces.
func (m *member) listerWatcher() *cache.ListWatch {
	selected := func(options metav1.ListOptions) metav1.ListOptions {
		options.LabelSelector = LabelHub + "=" + m.options.HubID
		return options
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
			defer cancel()
			return m.client.List(ctx, selected(options))
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return m.client.Watch(ctx, selected(options))
		},
	}
}
