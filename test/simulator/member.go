package simulator

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// member is a cluster, as far as fanout sees of it.
type member struct {
	*Simulator
	index int
	id    string // the UID of its namespace kube-system
	token string
	faults

	mu         sync.Mutex
	version    uint64
	objects    map[key]*object
	namespaces map[string]namespace
	events     []event
	before     uint64        // the latest version of which no event is kept any more
	changed    chan struct{} // closed with each event
	cursors    map[*cursor]struct{}
}

// event is a change of a Canary. After is nil where it is gone.
type event struct {
	version       uint64
	before, after *object
	at            time.Time
}

// cursor is how far a watch has come.
type cursor struct{ version uint64 }

// How many events are kept: for watches that resume, and for those that lag behind.
const (
	keptForResume = 256
	keptForLag    = 20000
)

// firstVersion is the resourceVersion of a new member.
const firstVersion = 1000

func newMember(s *Simulator, index int) *member {
	m := &member{
		Simulator: s, index: index, id: newUID(), token: newUID(), version: firstVersion, before: firstVersion,
		objects: map[key]*object{}, namespaces: map[string]namespace{}, changed: make(chan struct{}), cursors: map[*cursor]struct{}{},
	}
	for _, name := range []string{"default", "kube-node-lease", "kube-public", "kube-system"} {
		m.namespaces[name] = namespace{uid: newUID(), version: firstVersion, created: now()}
	}
	m.namespaces["kube-system"] = namespace{uid: m.id, version: firstVersion, created: now()}
	return m
}

// commit makes after what stands at its place, or at that of before where after is nil. The caller has the lock.
func (m *member) commit(before, after *object) {
	m.version++
	change := event{version: m.version, before: before, after: after, at: time.Now()}
	if after != nil {
		after.version = m.version
		m.objects[after.key()] = after
	} else {
		gone := *before
		gone.version = m.version
		change.before = &gone // as it was, with the version of its deletion
		delete(m.objects, before.key())
	}
	m.events = append(m.events, change)
	m.trim()
	close(m.changed)
	m.changed = make(chan struct{})
	m.arrivals.note(m.index, change)
}

// trim forgets events. The caller has the lock.
func (m *member) trim() {
	if len(m.events) < 2*keptForResume {
		return
	}
	slowest := m.version
	for c := range m.cursors {
		slowest = min(slowest, c.version)
	}
	drop := len(m.events) - keptForResume
	for drop > 0 && m.events[drop-1].version > slowest && len(m.events)-drop < keptForLag {
		drop--
	}
	if drop < keptForResume {
		return
	}
	m.before = m.events[drop-1].version
	m.events = slices.Clone(m.events[drop:])
}

// wipe removes all Canaries. Watches end, since there is no event of it.
func (m *member) wipe() {
	m.compact()
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.objects)
	close(m.changed)
	m.changed = make(chan struct{})
}

// compact forgets all events, as etcd does when it is compacted.
func (m *member) compact() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.version++
	m.events, m.before = nil, m.version
}

// list returns what is selected, in the order in which an API server has it. The caller has the lock.
func (m *member) list(selects func(*object) bool) []*object {
	var found []*object
	for _, o := range m.objects {
		if selects(o) {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, func(a, b *object) int {
		if a.namespace != b.namespace {
			return strings.Compare(a.namespace, b.namespace)
		}
		return strings.Compare(a.name, b.name)
	})
	return found
}

// now is the time as objects have it.
func now() string { return time.Now().UTC().Format(timeFormat) }
