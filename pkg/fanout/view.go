package fanout

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// view is what one member holds of this hub's derived Canaries: the store behind the member's reflector, which
// trims each object as it comes in. A write's answer goes in as well, so that the next sync decides on it
// even when the watch is behind. Versions of one resource are comparable as numbers (KEP-5504); where a
// server's are not, only the watch counts.
type view struct {
	// changed is called, outside the lock, with each place whose Canary came, changed or went.
	changed func(types.NamespacedName)
	// replaced, where there is one, is called after a fresh list has come in.
	replaced func()

	mu     sync.RWMutex
	items  map[types.NamespacedName]*observed
	seen   uint64        // the latest version that the watch has brought
	synced chan struct{} // closed by the first Replace
}

var _ cache.ReflectorStore = (*view)(nil)

func newView(changed func(types.NamespacedName)) *view {
	return &view{
		changed: changed,
		items:   map[types.NamespacedName]*observed{},
		synced:  make(chan struct{}),
	}
}

// get returns what stands at key, or nil.
func (v *view) get(key types.NamespacedName) *observed {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.items[key]
}

// keys returns the places that hold something.
func (v *view) keys() []types.NamespacedName {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return slices.Collect(maps.Keys(v.items))
}

func (v *view) len() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.items)
}

// record puts in what a write or a read of the object itself returned, unless the watch is past that already:
// then it knows better, and may have seen the object go.
func (v *view) record(key types.NamespacedName, o *observed) {
	version := o.version()
	v.mu.Lock()
	defer v.mu.Unlock()
	if version > v.seen {
		v.items[key] = o
	}
}

// recordDeleted notes that a delete of o was accepted: until the watch says that it is gone, it is terminating.
func (v *view) recordDeleted(key types.NamespacedName, o *observed) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.items[key] == o {
		terminating := *o
		terminating.terminating = true
		v.items[key] = &terminating
	}
}

// Add implements cache.ReflectorStore.
func (v *view) Add(obj any) error { return v.Update(obj) }

// Update implements cache.ReflectorStore. The echo of fanout's own write, which is known already, costs nothing.
func (v *view) Update(obj any) error {
	canary, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return errUnexpected(obj)
	}
	key := keyOfCanary(canary)
	if v.isKnown(key, canary.GetResourceVersion()) {
		return nil
	}
	o := observe(canary)
	v.mu.Lock()
	v.seen = max(v.seen, o.version())
	if known := v.items[key]; known == nil || known.version() < o.version() || o.version() == 0 {
		v.items[key] = o
	}
	v.mu.Unlock()
	v.changed(key)
	return nil
}

// isKnown tells whether key was last seen at that version, and notes that the watch is there now too.
func (v *view) isKnown(key types.NamespacedName, version string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	known := v.items[key]
	if known == nil || known.resourceVersion != version {
		return false
	}
	v.seen = max(v.seen, known.version())
	return true
}

// Delete implements cache.ReflectorStore. The object carries the version of its deletion.
func (v *view) Delete(obj any) error {
	canary, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return errUnexpected(obj)
	}
	key, version := keyOfCanary(canary), parseVersion(canary.GetResourceVersion())
	v.mu.Lock()
	v.seen = max(v.seen, version)
	if known := v.items[key]; known == nil || known.version() <= version {
		delete(v.items, key)
	}
	v.mu.Unlock()
	v.changed(key)
	return nil
}

// Replace implements cache.ReflectorStore: a fresh list.
func (v *view) Replace(list []any, version string) error {
	items := make(map[types.NamespacedName]*observed, len(list))
	for _, obj := range list {
		canary, ok := obj.(*unstructured.Unstructured)
		if !ok {
			return errUnexpected(obj)
		}
		items[keyOfCanary(canary)] = observe(canary)
	}
	v.mu.Lock()
	changed := slices.Collect(maps.Keys(items))
	for key := range v.items {
		if _, ok := items[key]; !ok {
			changed = append(changed, key)
		}
	}
	v.items = items
	v.seen = parseVersion(version)
	select {
	case <-v.synced:
	default:
		close(v.synced)
	}
	v.mu.Unlock()
	for _, key := range changed {
		v.changed(key)
	}
	if v.replaced != nil {
		v.replaced()
	}
	return nil
}

// Resync implements cache.ReflectorStore; the controller resyncs by its own period.
func (v *view) Resync() error { return nil }

func errUnexpected(obj any) error {
	return fmt.Errorf("watch of derived Canaries brought a %T", obj)
}

func keyOfCanary(canary *unstructured.Unstructured) types.NamespacedName {
	return types.NamespacedName{Namespace: canary.GetNamespace(), Name: canary.GetName()}
}
