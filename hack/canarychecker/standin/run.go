package standin

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// Manager is the field manager of canary-checker.
const Manager = "canary-checker"

// Finalizer is what canary-checker holds a Canary by.
const Finalizer = "canary.canaries.flanksource.com"

// MinimumInterval is the time within which canary-checker does not run a Canary again, whatever its schedule says.
const MinimumInterval = 10 * time.Second

var canaries = schema.GroupVersionResource{Group: "canaries.flanksource.com", Version: "v1", Resource: "canaries"}

// Options say how a stand-in works.
type Options struct {
	// MinimumInterval is in place of canary-checker's own for tests that can't wait as long; 0 means MinimumInterval.
	MinimumInterval time.Duration
	// Dial connects http checks to what they look at; nil does so as the machine resolves names.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

const (
	concurrentSyncs = 4
	concurrentRuns  = 8
)

// checker is the stand-in at work in one cluster.
type checker struct {
	client  dynamic.NamespaceableResourceInterface
	options Options
	http    *http.Client
	store   *store
	changed workqueue.TypedRateLimitingInterface[cache.ObjectName]
	due     workqueue.TypedRateLimitingInterface[cache.ObjectName]

	mu   sync.Mutex
	jobs map[cache.ObjectName]*job
}

// Run does to the Canaries of the cluster that config leads to what canary-checker does, until ctx ends, and returns when all
// that it started has stopped. It fails only for a config of which no client can be made: a CRD or an API server that is not
// there is waited for.
func Run(ctx context.Context, config *rest.Config, options Options) error {
	config = rest.AddUserAgent(rest.CopyConfig(config), "canary-checker-stand-in")
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{} // a round trip may write what a member's CRD does not know
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client of %s: %w", config.Host, err)
	}
	if options.MinimumInterval == 0 {
		options.MinimumInterval = MinimumInterval
	}
	transport := &http.Transport{Proxy: nil, DialContext: options.Dial, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Second}
	defer transport.CloseIdleConnections()
	limiter := func() workqueue.TypedRateLimiter[cache.ObjectName] {
		return workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](20*time.Millisecond, 5*time.Second)
	}
	c := &checker{
		client: client.Resource(canaries), options: options, http: &http.Client{Transport: transport},
		changed: workqueue.NewTypedRateLimitingQueue(limiter()),
		due:     workqueue.NewTypedRateLimitingQueue(limiter()),
		jobs:    map[cache.ObjectName]*job{},
	}
	c.store = newStore(c.changed.Add)
	klog.FromContext(ctx).Info("Standing in for canary-checker", "server", config.Host)

	var running sync.WaitGroup
	running.Go(func() { c.follow(ctx) })
	for range concurrentSyncs {
		running.Go(func() { work(ctx, c.changed, c.sync) })
	}
	for range concurrentRuns {
		running.Go(func() { work(ctx, c.due, c.runDue) })
	}
	<-ctx.Done()
	c.changed.ShutDown()
	c.due.ShutDown()
	running.Wait()
	return nil
}

// work does what is queued until the queue is shut down, and again later what failed.
func work(ctx context.Context, queue workqueue.TypedRateLimitingInterface[cache.ObjectName], do func(context.Context, cache.ObjectName) error) {
	for {
		key, shutdown := queue.Get()
		if shutdown {
			return
		}
		if err := do(ctx, key); err != nil {
			klog.FromContext(ctx).V(2).Info("Failed, and will try again", "canary", key, "err", err)
			queue.AddRateLimited(key)
		} else {
			queue.Forget(key)
		}
		queue.Done(key)
	}
}

// follow keeps the store current until ctx ends.
func (c *checker) follow(ctx context.Context) {
	expected := &unstructured.Unstructured{}
	expected.SetGroupVersionKind(canaries.GroupVersion().WithKind("Canary"))
	quiet := klog.Logger{} // that a CRD is not there is no error here
	reflector := cache.NewReflectorWithOptions(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return c.client.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return c.client.Watch(ctx, options)
		},
	}, expected, c.store, cache.ReflectorOptions{Name: "stand-in", Logger: &quiet})
	ctx = klog.NewContext(ctx, quiet)
	// The reflector's own loop would wait up to 30 s for a CRD that is not there yet.
	backoff := wait.Backoff{Duration: 50 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 5, Cap: time.Second}
	_ = backoff.DelayWithReset(clock.RealClock{}, 10*time.Second).Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		_ = reflector.ListAndWatchWithContext(ctx)
		return false, nil
	})
}

// store holds the Canaries as the watch has them.
type store struct {
	changed func(cache.ObjectName)
	mu      sync.RWMutex
	items   map[cache.ObjectName]*unstructured.Unstructured
}

var _ cache.ReflectorStore = (*store)(nil)

func newStore(changed func(cache.ObjectName)) *store {
	return &store{changed: changed, items: map[cache.ObjectName]*unstructured.Unstructured{}}
}

// get returns a copy of the Canary, nil where there is none.
func (s *store) get(key cache.ObjectName) *unstructured.Unstructured {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if item := s.items[key]; item != nil {
		return item.DeepCopy()
	}
	return nil
}

func (s *store) Add(obj any) error { return s.Update(obj) }

func (s *store) Update(obj any) error {
	canary := obj.(*unstructured.Unstructured)
	s.mu.Lock()
	s.items[cache.MetaObjectToName(canary)] = canary
	s.mu.Unlock()
	s.changed(cache.MetaObjectToName(canary))
	return nil
}

func (s *store) Delete(obj any) error {
	key := cache.MetaObjectToName(obj.(*unstructured.Unstructured))
	s.mu.Lock()
	delete(s.items, key)
	s.mu.Unlock()
	s.changed(key)
	return nil
}

func (s *store) Replace(list []any, _ string) error {
	items := map[cache.ObjectName]*unstructured.Unstructured{}
	for _, obj := range list {
		canary := obj.(*unstructured.Unstructured)
		items[cache.MetaObjectToName(canary)] = canary
	}
	s.mu.Lock()
	before := s.items
	s.items = items
	s.mu.Unlock()
	for _, all := range []map[cache.ObjectName]*unstructured.Unstructured{before, items} {
		for key := range all {
			s.changed(key)
		}
	}
	return nil
}

func (s *store) Resync() error { return nil }
