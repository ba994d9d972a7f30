package chaos

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"fanout/pkg/fanout/derive"
)

// objects is what is known of the Canaries in all clusters, by UID and by place. It is guarded by the round's mu.
type objects struct {
	copies    map[string]*derived
	strangers map[string]*stranger
	standing  map[string]map[place]*stranger // by cluster: those that have not gone
	// ours are objects that the harness deletes, noted before it does.
	ours map[string]bool
	// disturbed are clusters whose agent changed: there, copies may go for that.
	disturbed map[string]bool
	// wiped is, by cluster, the version up to which all may have gone with the CRD; the greatest while it goes.
	wiped  map[string]uint64
	edited map[string]int      // by cluster and place: how often the harness changed a copy
	added  map[string][]string // by UID: the fields of the spec that somebody added to a copy
	// forgotten are copies, by UID, that somebody has taken fanout's annotations from where canary-checker writes, too: nothing tells
	// any more that a list which canary-checker wrote last was fanout's, so when its parent drops it meanwhile it stays.
	forgotten map[string]bool
	failures  []*failure
}

// derived is a copy as fanout created it.
type derived struct {
	place      place
	agent      string
	parent     string // its UID
	generation int64
	version    uint64
	created    time.Time
	deleted    bool
}

// stranger is an object that is not fanout's.
type stranger struct {
	cluster  string
	place    place
	uid      string
	from     uint64            // the version at which it came to be one
	last     string            // the version that the harness left it at
	versions map[uint64]bool   // all that the harness left it at
	contents map[string]bool   // what it held at those, without what canary-checker may change
	seen     map[uint64]string // all versions that the watch has brought, and what it held then
	adopt    bool              // its owner has asked fanout to take it
	gone     bool              // by the harness
	vanished bool              // as the watch has it
}

func newObjects() *objects {
	o := &objects{
		copies: map[string]*derived{}, strangers: map[string]*stranger{}, standing: map[string]map[place]*stranger{},
		ours: map[string]bool{}, disturbed: map[string]bool{}, wiped: map[string]uint64{}, edited: map[string]int{}, added: map[string][]string{},
		forgotten: map[string]bool{},
	}
	for _, name := range clusterNames {
		o.standing[name] = map[place]*stranger{}
	}
	return o
}

// watch watches every cluster directly until the function that it returns is called.
func (r *round) watch() (stop func()) {
	// Watches end when a CRD goes, which is no news.
	ctx, cancel := context.WithCancel(klog.NewContext(r.t.Context(), klog.Logger{}))
	var running sync.WaitGroup
	for _, c := range r.w.clusters {
		canaries := c.Dynamic.Resource(derive.Canaries)
		_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
			ListerWatcher: &cache.ListWatch{
				ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
					return canaries.List(ctx, options)
				},
				WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
					return canaries.Watch(ctx, options)
				},
			},
			ObjectType: &unstructured.Unstructured{},
			Handler: cache.ResourceEventHandlerFuncs{
				AddFunc:    func(obj any) { r.appeared(c, obj.(*unstructured.Unstructured)) },
				UpdateFunc: func(old, obj any) { r.changed(c, old.(*unstructured.Unstructured), obj.(*unstructured.Unstructured)) },
				DeleteFunc: func(obj any) {
					if tombstone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
						obj = tombstone.Obj
					}
					r.vanished(c, obj.(*unstructured.Unstructured))
				},
			},
		})
		running.Go(func() { informer.RunWithContext(ctx) })
	}
	return func() {
		cancel()
		running.Wait()
	}
}

func (r *round) appeared(c *cluster, obj *unstructured.Unstructured) {
	if !isOneOf(r.namespaces, obj.GetNamespace()) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen(obj)
	if obj.GetLabels()[derive.LabelHub] != r.w.hubID {
		return
	}
	annotations := obj.GetAnnotations()
	generation, _ := strconv.ParseInt(annotations[derive.AnnotationParentGeneration], 10, 64)
	r.objects.copies[string(obj.GetUID())] = &derived{
		place: placeOf(obj), agent: annotations[derive.AnnotationAgent], parent: annotations[derive.AnnotationParentUID],
		generation: generation, version: versionOf(obj), created: obj.GetCreationTimestamp().Time,
	}
}

func (r *round) changed(c *cluster, old, obj *unstructured.Unstructured) {
	switch {
	case old.GetUID() != obj.GetUID():
		r.vanished(c, old)
		r.appeared(c, obj)
		return
	case old.GetDeletionTimestamp() == nil && obj.GetDeletionTimestamp() != nil:
		r.deleted(c, obj)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen(obj)
}

func (r *round) vanished(c *cluster, obj *unstructured.Unstructured) {
	r.deleted(c, obj)
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.objects.strangers[string(obj.GetUID())]; s != nil {
		s.vanished = true
	} else {
		r.objects.strangers[string(obj.GetUID())] = newStranger()
		r.objects.strangers[string(obj.GetUID())].vanished = true
	}
}

// seen notes a version of an object; whether it is a stranger is known at the end. r.mu is held.
func (r *round) seen(obj *unstructured.Unstructured) {
	s := r.objects.strangers[string(obj.GetUID())]
	if s == nil {
		s = newStranger()
		r.objects.strangers[string(obj.GetUID())] = s
	}
	s.seen[versionOf(obj)] = contentOf(obj)
}

// deleted looks for a reason why fanout's own copy is deleted. It looks at once: what comes to be known later is none.
func (r *round) deleted(c *cluster, obj *unstructured.Unstructured) {
	uid := string(obj.GetUID())
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.objects
	d := o.copies[uid]
	if d == nil || d.deleted {
		return
	}
	d.deleted = true
	if o.ours[uid] || o.disturbed[c.Name] || d.version <= o.wiped[c.Name] {
		return
	}
	if r.lineages.excuse(d.parent, d.generation, d.agent, r.model.had(d.agent), d.created) == "" {
		o.failures = append(o.failures, &failure{
			invariant: "a wanted copy was deleted", cluster: c.Name, place: d.place,
			text: fmt.Sprintf("created for %s from generation %d, which nothing has unwanted since", d.agent, d.generation),
		})
	}
}

// disturb notes, before it happens, that another agent may come to own those clusters.
func (r *round) disturb(clusters ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range clusters {
		r.objects.disturbed[name] = true
	}
}

// wipe notes that all Canaries of a cluster may go; done says up to which version they did.
func (r *round) wipe(name string) (done func(version string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.objects.wiped[name] = math.MaxUint64
	return func(version string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.objects.wiped[name], _ = strconv.ParseUint(version, 10, 64)
		for at, s := range r.objects.standing[name] {
			s.gone = true
			delete(r.objects.standing[name], at)
		}
	}
}

func placeOf(obj *unstructured.Unstructured) place { return place{obj.GetNamespace(), obj.GetName()} }

func versionOf(obj *unstructured.Unstructured) uint64 {
	version, _ := strconv.ParseUint(obj.GetResourceVersion(), 10, 64)
	return version
}
