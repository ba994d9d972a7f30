package fanout

import (
	"context"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"

	"fanout/pkg/results"
)

// statuses keeps the parents' statuses: what members report of a parent's copies has the parent looked at, its status is aggregated
// afresh, and written when it is due. See docs/results.md, and docs/adr/0007 for what of it outlives a restart.
type statuses struct {
	*Controller
	// patience is until when to wait for members of which nothing was heard yet.
	patience time.Time

	stirring sync.Mutex // held while one copy is looked at for lists
	mu       sync.Mutex
	queue    workqueue.TypedDelayingInterface[types.NamespacedName] // nil while nothing is to be looked at
	complete bool                                                   // every agent is known
	all      map[types.NamespacedName]*status
	// heard is what other replicas told of parents, by UID, and of each agent.
	heard map[types.UID]map[string]*heard
	turn  uint64        // how often something was told to other replicas
	news  chan struct{} // closed when that is so again
}

const (
	// startPatience is how long after its start fanout waits for members before it writes of them that nothing was heard.
	startPatience = 30 * time.Second
	// statusWriters is how many statuses are aggregated and written at the same time.
	statusWriters = 4
	// A write that failed is tried again after statusRetry, doubled each time.
	statusRetry, maxStatusRetry = time.Second, time.Minute
)

func newStatuses(c *Controller) *statuses {
	return &statuses{
		Controller: c,
		patience:   c.options.Clock.Now().Add(startPatience),
		all:        map[types.NamespacedName]*status{},
		heard:      map[types.UID]map[string]*heard{},
		news:       make(chan struct{}),
	}
}

// recallsUntil is until when what parents' statuses say of their agents is of use.
func (c *Controller) recallsUntil() time.Time {
	if c.options.Share != nil {
		return time.Time{}
	}
	return c.statuses.patience
}

// run writes statuses until ctx ends.
func (s *statuses) run(ctx context.Context) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return
	}
	queue := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[types.NamespacedName]{})
	s.mu.Lock()
	s.queue = queue
	s.mu.Unlock()
	s.lookAtAll()
	defer s.options.Metrics.results.follow(s.states)()
	var workers sync.WaitGroup
	defer workers.Wait()
	workers.Go(func() { s.followShare(ctx) })
	for range statusWriters {
		workers.Go(func() {
			for s.next(ctx, queue) {
			}
		})
	}
	<-ctx.Done()
	queue.ShutDown()
}

func (s *statuses) next(ctx context.Context, queue workqueue.TypedDelayingInterface[types.NamespacedName]) bool {
	key, shut := queue.Get()
	if shut {
		return false
	}
	defer queue.Done(key)
	s.sync(ctx, key)
	return true
}

// begin says that every agent is known, so that a status may be written.
func (s *statuses) begin() {
	s.mu.Lock()
	s.complete = true
	s.mu.Unlock()
	s.lookAtAll()
}

// begun tells whether statuses are written. All are looked at when that begins.
func (s *statuses) begun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue != nil && s.complete
}

func (s *statuses) lookAtAll() {
	for _, item := range s.parents.List() {
		if p := item.(*parent); p.isParent() || p.reported {
			s.look(p.key(), true)
		}
	}
}

// lookFor looks at the parents that speak of that agent, if it has those labels; nil is that its labels are not known.
func (s *statuses) lookFor(agent string, labels map[string]string) {
	if !s.begun() {
		return
	}
	for _, item := range s.parents.List() {
		if p := item.(*parent); p.isParent() && (p.invalid != nil || labels == nil || p.matches(agent, labels)) {
			s.look(p.key(), true)
		}
	}
}

// lookForFormer looks at the parents that speak of that agent by the labels that it had before, empty where it is new.
func (s *statuses) lookForFormer(agent string, before, labels map[string]string) {
	if before != nil && !maps.Equal(before, labels) {
		s.lookFor(agent, before)
	}
}

// changed looks at a Canary of the hub that is another than before, unless that is for what was just written to it.
func (s *statuses) changed(old, new *parent) {
	switch {
	case new == nil:
		s.look(old.key(), true)
	case !new.isParent() && !new.reported:
		if old.isParent() {
			s.look(new.key(), true)
		}
	case old == nil || !old.sameAs(new) || !s.isExpected(new):
		s.look(new.key(), true)
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		new.entries = nil // they are what is known anyway
	}
}

// isExpected tells whether p's status says what it is known to say.
func (s *statuses) isExpected(p *parent) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.all[p.key()]
	if known == nil || known.uid != p.GetUID() || !p.isParent() {
		return false
	}
	isBeingWritten := known.expected != (results.Digest{}) && p.shown.Whole == known.expected
	return isBeingWritten || p.shown.Whole == known.written.Shown.Whole
}

// look has the parent at key looked at soon, though not before its status may be written again, and tells those who wait that something changed.
func (s *statuses) look(key types.NamespacedName, transition bool) {
	s.changes.tell()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Clock.Now()
	at := now.Add(results.Settle)
	if known := s.all[key]; known != nil {
		pause := results.UpdatePause
		if transition {
			pause = results.TransitionPause
		}
		at = later(at, known.written.At.Add(pause), known.retry)
	}
	s.lookAt(key, at, now)
}

func later(at time.Time, others ...time.Time) time.Time {
	for _, other := range others {
		if other.After(at) {
			at = other
		}
	}
	return at
}

// lookAt has the parent at key looked at then, unless that is so sooner. The caller has the lock.
func (s *statuses) lookAt(key types.NamespacedName, at, now time.Time) {
	if s.queue == nil || !s.complete {
		return // all are looked at in the end
	}
	known := s.all[key]
	if known == nil {
		known = &status{}
		s.all[key] = known
	}
	if known.due.IsZero() || at.Before(known.due) {
		known.due = at
		s.queue.AddAfter(key, at.Sub(now))
	}
}

// states are how many agents are in which state, summed over the parents of each namespace whose statuses are this process's, and how long the agent has been away that has
// been away for longest.
func (s *statuses) states() (byNamespace map[string]results.States, oldest time.Duration) {
	byNamespace = map[string]results.States{}
	s.mu.Lock()
	for key, known := range s.all {
		sum := byNamespace[key.Namespace]
		if known.mine && known.told != nil {
			for state, n := range known.told.States {
				sum[state] += n
			}
		}
		byNamespace[key.Namespace] = sum
	}
	s.mu.Unlock()
	s.Controller.mu.RLock()
	defer s.Controller.mu.RUnlock()
	for _, k := range s.agents {
		if k.away().Reason != "" {
			oldest = max(oldest, s.options.Clock.Since(k.missing.Since))
		}
	}
	return byNamespace, oldest
}
