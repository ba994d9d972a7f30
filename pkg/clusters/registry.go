package clusters

import (
	"context"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"fanout/pkg/shard"
)

// Options says how a Registry works. The zero value of a field is not a default: all are to be set.
type Options struct {
	// HubID is the UID of the hub's kube-system Namespace: a member that turns out to be the hub is refused.
	HubID string
	// Namespace holds the Secrets.
	Namespace string
	// Formats are those in which a Secret may register a member. Others' Secrets are not looked at.
	Formats Formats
	// Metadata is a client of the hub for what Cluster API says of clusters. No other format needs it.
	Metadata metadata.Interface
	// UserAgent is how fanout names itself to members.
	UserAgent string
	// ProbePeriod is how often a member is probed, and the longest pause between attempts to reach it.
	ProbePeriod time.Duration
	// ProbeTimeout bounds one probe.
	ProbeTimeout time.Duration
	// ProbeFailures in a row make a member unreachable.
	ProbeFailures int
	// DeregisterTimeout is how long a deleted Secret is held for the sake of a member that can't be cleaned.
	DeregisterTimeout time.Duration
	// CleanupHint is what a user can do in a member that could not be cleaned.
	CleanupHint string
	// Share is the part of the members that this replica works with; nil is all of them.
	Share *shard.Share
	// Recorder tells the Secret's owner what becomes of it.
	Recorder record.EventRecorder
	// Metrics counts members.
	Metrics *Metrics
	// Clock is the time.
	Clock clock.Clock
}

// Registry keeps a Handler supplied with the members that the Secrets of one namespace register.
type Registry struct {
	options  Options
	hub      kubernetes.Interface
	handler  Handler
	claims   *claims
	names    *names
	clusters *clusterObjects // nil unless Cluster API's Secrets are understood

	mu      sync.Mutex
	keepers map[string]*keeper // by the Secret's name
	pending int                // keepers that are not counted
	// listed says that every Secret has a keeper that there was at first, complete that the handler knows of all of them.
	listed, complete bool
	running          sync.WaitGroup
}

// New returns a registry of the hub that client leads to. It does nothing before Run.
func New(client kubernetes.Interface, handler Handler, options Options) *Registry {
	r := &Registry{
		options: options,
		hub:     client,
		handler: handler,
		claims:  newClaims(options.HubID),
		names:   newNames(),
		keepers: map[string]*keeper{},
	}
	if slices.Contains(options.Formats, ClusterAPI) {
		r.clusters = newClusterObjects(r)
	}
	return r
}

// Run keeps members until ctx ends, and returns when the handler has been told to leave them all.
func (r *Registry) Run(ctx context.Context) {
	defer r.options.Metrics.forgetAll()
	defer r.running.Wait()
	secrets := r.hub.CoreV1().Secrets(r.options.Namespace)
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		// Without a label selector: a Secret that loses its label must be seen to lose it.
		ListerWatcher: NoticeRestore(&cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
				ctx, cancel := context.WithTimeout(ctx, hubTimeout)
				defer cancel()
				return secrets.List(ctx, options)
			},
			WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
				return secrets.Watch(ctx, options)
			},
		}),
		ObjectType: &corev1.Secret{},
		Transform:  r.options.Formats.trimSecret,
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { r.changed(ctx, obj.(*corev1.Secret)) },
			UpdateFunc: func(_, obj any) { r.changed(ctx, obj.(*corev1.Secret)) },
			DeleteFunc: func(obj any) { r.gone(obj) },
		},
	})
	r.running.Go(func() {
		select {
		case <-informer.HasSyncedChecker().Done():
			r.mu.Lock()
			defer r.mu.Unlock()
			r.listed = true
			r.completed()
		case <-ctx.Done():
		}
	})
	if r.clusters != nil {
		r.running.Go(func() {
			// What grants the Secrets grants the Clusters. A server that has not read its own RBAC yet refuses both.
			select {
			case <-informer.HasSyncedChecker().Done():
				r.clusters.run(ctx)
			case <-ctx.Done():
			}
		})
	}
	r.running.Go(func() { r.followShare(ctx) })
	klog.FromContext(ctx).Info("Watching for members", "namespace", r.options.Namespace)
	informer.RunWithContext(ctx)
}

// changed hands the Secret to its keeper, whom it starts if there is none.
func (r *Registry) changed(ctx context.Context, secret *corev1.Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.keepers[secret.Name]
	switch {
	case !r.options.Formats.isRegistration(secret):
		if k != nil {
			k.tell(nil)
		}
	case k != nil:
		k.tell(secret)
	case ctx.Err() == nil:
		k = newKeeper(r, secret)
		r.keepers[secret.Name] = k
		r.pending++
		r.running.Go(func() { k.run(ctx) })
	}
}

// count notes that the handler was told of the keeper's agent, or that there is nothing to tell.
func (r *Registry) count(k *keeper) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.countLocked(k)
}

func (r *Registry) countLocked(k *keeper) {
	if !k.counted {
		k.counted = true
		r.pending--
		r.completed()
	}
}

// completed tells the handler, once, that it was told of all that there were at first.
func (r *Registry) completed() {
	if r.listed && !r.complete && r.pending == 0 {
		r.complete = true
		r.handler.Complete()
	}
}

// gone tells the keeper of a deleted Secret.
func (r *Registry) gone(obj any) {
	key, err := cache.DeletionHandlingObjectToName(obj)
	if err != nil {
		return // not an object: the informer never does that
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.keepers[key.Name]; k != nil {
		k.tell(nil)
	}
}

// retire removes a keeper whose Secret is gone, unless a new one has come in the meantime.
func (r *Registry) retire(k *keeper) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k.latest() != nil {
		return false
	}
	delete(r.keepers, k.name)
	r.countLocked(k)
	k.assume("")
	r.options.Metrics.forget(k.name)
	return true
}
