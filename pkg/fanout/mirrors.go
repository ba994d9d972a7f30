package fanout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/results"
)

// mirrors keeps a mirror of each copy in the hub, beside its parent, for those who look at Canaries with kubectl alone: see docs/results.md.
// A parent is looked at when its status has been aggregated, and when something changes where a mirror of it stands.
type mirrors struct {
	*Controller
	limit   int
	failing atomic.Bool // the last write was not accepted

	mu    sync.Mutex
	queue workqueue.TypedDelayingInterface[types.NamespacedName] // of parents; nil while nothing is looked at
	// of are the mirrors of this hub that say they are of that parent.
	of      map[types.NamespacedName]map[types.NamespacedName]bool
	plan    plan
	written map[types.NamespacedName]mirrored // by mirror
	told    map[types.NamespacedName]troubles // by parent
}

// mirror is what is remembered of a Canary that is marked as one.
type mirror struct {
	isOurs       bool
	parent       types.NamespacedName
	agent        string
	spec         map[string]any
	whole, shape results.Digest // of its status
}

// readMirror returns nil for a Canary that is none, and takes out of it what need not be kept.
func readMirror(canary *unstructured.Unstructured, hubID string) *mirror {
	hub, marked := canary.GetLabels()[derive.LabelMirror]
	if !marked {
		return nil
	}
	namespace, name, _ := strings.Cut(canary.GetAnnotations()[derive.AnnotationParent], "/")
	m := &mirror{parent: types.NamespacedName{Namespace: namespace, Name: name}, agent: canary.GetAnnotations()[derive.AnnotationAgent]}
	// A label alone makes nobody's Canary one that fanout may delete.
	m.isOurs = hub == hubID && namespace == canary.GetNamespace() && strings.HasPrefix(canary.GetName(), name+".") && name != ""
	m.spec, _ = canary.Object["spec"].(map[string]any)
	m.whole, m.shape = results.ReadLine(canary.Object["status"])
	canary.SetManagedFields(nil)
	delete(canary.Object, "spec")
	delete(canary.Object, "status")
	return m
}

// troubles are the agents of a parent whose mirrors something stands in the way of, and whether the limit does.
type troubles struct {
	conflicts map[string]bool
	limit     bool
}

const (
	// mirrorWriters is how many parents' mirrors are looked at at the same time, and mirrorRequests how many of one parent are written.
	mirrorWriters, mirrorRequests = 2, 4
	// mirrorPause is from one write of a mirror's status to the next where only times, latencies, uptimes and texts have changed.
	mirrorPause = 30 * time.Second
	// planPause is from a change of what counts for the plan to when it is decided afresh, for what comes with it.
	planPause = 100 * time.Millisecond
	// mirrorRetry is after what time what failed is tried again.
	mirrorRetry = 5 * time.Second
)

func newMirrors(c *Controller) *mirrors {
	return &mirrors{
		Controller: c,
		limit:      c.options.MirrorLimit,
		of:         map[types.NamespacedName]map[types.NamespacedName]bool{},
		plan:       newPlan(c.options.MirrorLimit),
		written:    map[types.NamespacedName]mirrored{},
		told:       map[types.NamespacedName]troubles{},
	}
}

// run keeps mirrors until ctx ends. Without any to keep, it removes those that are left from before.
func (m *mirrors) run(ctx context.Context) {
	select {
	case <-m.ready:
	case <-ctx.Done():
		return
	}
	queue := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[types.NamespacedName]{})
	m.mu.Lock()
	m.queue = queue
	for parent := range m.of {
		queue.Add(parent)
	}
	queue.Add(planKey)
	m.mu.Unlock()
	defer m.options.Metrics.mirrored(0, 0, 0)
	var workers sync.WaitGroup
	defer workers.Wait()
	for range mirrorWriters {
		workers.Go(func() {
			for {
				key, shut := queue.Get()
				if shut {
					return
				}
				m.sync(ctx, key)
				queue.Done(key)
			}
		})
	}
	<-ctx.Done()
	queue.ShutDown()
}

// count has the mirrors of p looked at, which has so many agents by now.
func (m *mirrors) count(p *parent, agents int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.limit == 0 {
		return
	}
	if m.plan.count(p.key(), p.GetCreationTimestamp().Time, agents) {
		m.lookAfter(planKey, planPause)
		m.lookAfter(p.key(), 2*planPause) // when that is decided
		return
	}
	m.lookAfter(p.key(), 0)
}

// changed looks at the parents that a changed Canary of the hub, itself a parent or none, may be in the way of or a mirror of.
func (m *mirrors) changed(old, new *parent) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := keyOf(old, new)
	for _, p := range []*parent{old, new} {
		if p == nil || p.mirror == nil || !p.mirror.isOurs {
			continue
		}
		if of := m.of[p.mirror.parent]; p == new && of == nil {
			m.of[p.mirror.parent] = map[types.NamespacedName]bool{key: true}
		} else if p == new {
			of[key] = true
		} else if delete(of, key); len(of) == 0 {
			delete(m.of, p.mirror.parent)
		}
		m.lookAfter(p.mirror.parent, 0)
	}
	if new == nil || !new.isParent() {
		if m.plan.forget(key) {
			m.lookAfter(planKey, planPause)
		}
	}
	if new == nil {
		delete(m.written, key)
	}
	if new == nil || old != nil && (old.isParent() || old.reported) && !new.isParent() {
		m.lookAfter(key, 0)
	}
	for i := range key.Name { // of any of these it may have stood in a mirror's place
		if key.Name[i] == '.' && m.limit > 0 && (old == nil || new == nil) {
			m.lookAfter(types.NamespacedName{Namespace: key.Namespace, Name: key.Name[:i]}, 0)
		}
	}
}

// lookAfter has the mirrors of a parent looked at. The caller has the lock.
func (m *mirrors) lookAfter(parent types.NamespacedName, pause time.Duration) {
	if m.queue != nil {
		m.queue.AddAfter(parent, pause)
	}
}

// planKey stands in the queue for the plan. It is no parent's.
var planKey = types.NamespacedName{}

// decide decides afresh whose copies are mirrored.
func (m *mirrors) decide() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, parent := range m.plan.decide() {
		m.lookAfter(parent, 0)
	}
}

// sync brings the mirrors of one parent to what is known of its copies.
func (m *mirrors) sync(ctx context.Context, key types.NamespacedName) {
	if key == planKey {
		m.decide()
		return
	}
	p := m.at(key)
	found := troubles{conflicts: map[string]bool{}}
	wanted := map[types.NamespacedName]results.Line{}
	kept, decided := m.planned(key)
	switch {
	case m.limit == 0, !p.isParent():
	case !m.statuses.begun(), !decided, p.canary == nil:
		return // what is not known yet, or not said in a way that can be read, is taken for nothing
	case !kept:
		found.limit = true
	default:
		agents, _ := m.statuses.knownOf(p)
		for _, line := range results.Lines(p.asked(), agents, m.options.Clock.Now()) {
			place, ok := derive.MirrorPlace(key, line.Name)
			switch {
			case line.Name == derive.LocalAgent: // whose copy stands in the hub itself
			case !ok || m.isTaken(place, p):
				found.conflicts[line.Name] = true
			default:
				wanted[place] = line
			}
		}
	}
	if p.isParent() {
		m.tellTroubles(p, found)
	} else {
		m.mu.Lock()
		delete(m.told, key)
		m.mu.Unlock()
	}
	m.writeAll(ctx, p, key, wanted)
	m.options.Metrics.mirrored(m.states())
}

// isTaken tells whether something else stands there than a mirror of p's: a stranger's Canary, or the mirror of another parent, since a name
// can be made of two in more ways than one where they have dots.
func (m *mirrors) isTaken(place types.NamespacedName, p *parent) bool {
	there := m.at(place)
	if there == nil {
		return false
	}
	if there.mirror == nil || !there.mirror.isOurs {
		return true
	}
	of := there.mirror.parent
	right, ok := derive.MirrorPlace(of, there.mirror.agent)
	return of != p.key() && ok && right == place && m.at(of).isParent()
}

// at returns the Canary of the hub that stands there, or nil.
func (m *mirrors) at(key types.NamespacedName) *parent {
	item, _, _ := m.parents.GetByKey(cache.NewObjectName(key.Namespace, key.Name).String())
	return asParent(item)
}

// planned tells whether the parent's copies are mirrored, once that is decided.
func (m *mirrors) planned(key types.NamespacedName) (kept, decided bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, decided = m.plan.kept[key]
	return kept, decided
}

// tellTroubles tells p's owner of what is new among found.
func (m *mirrors) tellTroubles(p *parent, found troubles) {
	m.mu.Lock()
	before := m.told[p.key()]
	m.told[p.key()] = found
	m.mu.Unlock()
	if found.limit && !before.limit {
		m.options.Recorder.Event(reference(p), corev1.EventTypeWarning, "MirrorLimit",
			fmt.Sprintf("Its copies are not mirrored: with them there would be more than %d mirrors, which --mirror-limit allows. Older Canaries come first.", m.limit))
	}
	var conflicts []string
	for agent := range found.conflicts {
		if !before.conflicts[agent] {
			conflicts = append(conflicts, agent)
		}
	}
	if len(conflicts) > 0 {
		slices.Sort(conflicts)
		const named = 5
		text := strings.Join(conflicts[:min(len(conflicts), named)], ", ")
		if more := len(conflicts) - named; more > 0 {
			text += fmt.Sprintf(" (%d more)", more)
		}
		m.options.Recorder.Event(reference(p), corev1.EventTypeWarning, "MirrorConflict",
			"Where the mirrors of its copies should stand something else does, or the name is too long: "+text+". Each is named like its parent, with a dot and the agent behind it; delete or rename what stands there.")
	}
}

// mirrorStates are the values of fanout_mirrors' label.
var mirrorStates = []string{"kept", "limit", "conflict"}

// states are how many mirrors are kept, and how many are not and why.
func (m *mirrors) states() (kept, limit, conflict int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, of := range m.of {
		kept += len(of)
	}
	for parent, found := range m.told {
		conflict += len(found.conflicts)
		if found.limit {
			limit += m.plan.counts[parent].agents
		}
	}
	return kept, limit, conflict
}
