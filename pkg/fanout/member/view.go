package member

import (
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// view is what one member holds of this hub's derived Canaries, as far as it is remembered. The watch brings it. A write's answer goes in as well, so that the next sync decides on it
// even when the watch is behind. Versions of one resource are comparable as numbers (KEP-5504); where a
// server's are not, only the watch counts.
type view struct {
	// changed is called, outside the lock, with each place whose Canary came, changed or went.
	changed func(types.NamespacedName)
	// listed is called likewise with each place that a fresh list brings or shows to be empty.
	listed func(types.NamespacedName)
	// replaced, where there is one, is called after a fresh list has come in, and told whether it is the first.
	replaced func(first bool)
	// heard, where there is one, is called likewise with each place of which there is something to report, and told whether
	// that is a transition: more than that a time or a number went on.
	heard func(key types.NamespacedName, transition bool)

	mu     sync.RWMutex
	places map[types.NamespacedName]*place
	held   int           // places that hold something
	seen   uint64        // the latest version that the watch has brought
	synced chan struct{} // closed by the first list
	// ahead are the places of which record was told since the list was asked for that is under way, nil while none is.
	ahead map[types.NamespacedName]bool
}

func newView(changed func(types.NamespacedName)) *view {
	return &view{
		changed: changed,
		listed:  changed,
		places:  map[types.NamespacedName]*place{},
		synced:  make(chan struct{}),
	}
}

// get returns what stands at key, or nil.
func (v *view) get(key types.NamespacedName) *observed {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.holds(key)
}

// holds is get for whoever has the lock.
func (v *view) holds(key types.NamespacedName) *observed {
	if p := v.places[key]; p != nil {
		return p.held.unpack()
	}
	return nil
}

// hold has o stand at key, or nothing where o is nil.
func (v *view) hold(key types.NamespacedName, o *observed) {
	p := v.places[key]
	if p == nil {
		p = &place{}
	}
	if p.held.has() {
		v.held--
	}
	if !p.held.isOf(o) {
		p.said = nil
	}
	if p.held = pack(o); o != nil {
		v.held++
	}
	v.keep(key, p)
}

// keys returns the places that hold something.
func (v *view) keys() []types.NamespacedName {
	return v.which(func(p *place) bool { return p.held.has() })
}

// which returns the places of which that is true.
func (v *view) which(is func(*place) bool) []types.NamespacedName {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var keys []types.NamespacedName
	for key, p := range v.places {
		if is(p) {
			keys = append(keys, key)
		}
	}
	return keys
}

// len returns how many places hold something.
func (v *view) len() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.held
}

// record puts in what a write or a read of the object itself returned, unless the watch is past that already:
// then it knows better, and may have seen the object go.
func (v *view) record(key types.NamespacedName, o *observed) {
	version := o.version()
	v.mu.Lock()
	defer v.mu.Unlock()
	if version > v.seen {
		v.hold(key, o)
		if v.ahead != nil {
			v.ahead[key] = true
		}
	}
}

// asks notes that a fresh list is asked for. What is recorded until it has come in may be later than the list.
func (v *view) asks() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ahead = map[types.NamespacedName]bool{}
}

// isAhead tells whether what is known of key is later than a list of that version. That it has a later version does not say so: a member
// that was restored from a backup begins again with earlier ones.
func (v *view) isAhead(key types.NamespacedName, listed uint64) bool {
	known := v.holds(key)
	return v.ahead[key] && known != nil && known.version() > listed
}

// recordDeleted notes that a delete of o was accepted: until the watch says that it is gone, it is terminating.
func (v *view) recordDeleted(key types.NamespacedName, o *observed) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if now := v.holds(key); now != nil && *now == *o {
		terminating := *o
		terminating.terminating = true
		v.hold(key, &terminating)
	}
}

// update puts in what the watch brings. The echo of fanout's own write, which is known already, costs nothing, and a change of what is
// nothing to fanout makes nobody look.
func (v *view) update(s *sighting) {
	o := s.observed
	v.mu.Lock()
	v.seen = max(v.seen, o.version())
	known := v.holds(s.key)
	echo := known != nil && known.resourceVersion == s.version
	same := echo || known != nil && known.print != 0 && known.print == o.print && known.terminating == o.terminating
	if !echo && (known == nil || known.version() < o.version() || o.version() == 0) {
		v.hold(s.key, o)
	}
	news, transition := v.listen(s)
	v.mu.Unlock()
	if !same {
		v.changed(s.key)
	}
	if !same || news {
		v.tell(s.key, !same || transition)
	}
}

// remove takes out what the watch says is gone. The sighting carries the version of the deletion.
func (v *view) remove(s *sighting) {
	key, version := s.key, parseVersion(s.version)
	v.mu.Lock()
	v.seen = max(v.seen, version)
	if known := v.holds(key); known != nil && known.version() <= version {
		v.hold(key, nil)
	}
	v.mu.Unlock()
	v.changed(key)
	v.tell(key, true)
}

// replace puts in a fresh list of that version. Where it is not the first, it is told which places show something else than before.
func (v *view) replace(items map[types.NamespacedName]*sighting, version string) {
	news := map[types.NamespacedName]bool{} // whether that is a transition
	listed := parseVersion(version)
	v.mu.Lock()
	changed := slices.Collect(maps.Keys(items))
	for key, p := range v.places {
		if _, ok := items[key]; !ok && p.held.has() && !v.isAhead(key, listed) {
			changed = append(changed, key)
			v.hold(key, nil)
			news[key] = true
		}
	}
	for key, s := range items {
		if v.isAhead(key, listed) {
			continue // the watch brings it
		}
		known := v.holds(key)
		v.hold(key, s.observed)
		differs := known == nil || *known != *s.observed
		if said, transition := v.listen(s); said || differs {
			news[key] = differs || transition
		}
	}
	v.seen, v.ahead = listed, nil
	first := false
	select {
	case <-v.synced:
	default:
		first = true
		close(v.synced)
	}
	v.mu.Unlock()
	for _, key := range changed {
		v.listed(key)
	}
	if !first {
		for key, transition := range news {
			v.tell(key, transition)
		}
	}
	if v.replaced != nil {
		v.replaced(first)
	}
}
