package fanout

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/results"
)

// tally is what is told of a parent in lists, remembered from when its status was last aggregated: a thousand parents of a thousand agents
// can't be aggregated whenever somebody asks. Where a copy fares otherwise since, it is brought up to that: a status may be late, where the
// hub takes its time. Whoever reads it has the lock of statuses.
type tally struct {
	results.Summary
	of    results.Parent
	marks []mark // in order
}

// mark is what one agent adds to it: the agent's number, its State, and whether it is in sync or out of it.
type mark uint32

const (
	markInSync mark = 1 << iota
	markOut

	stateShift = 2
	stateMask  = 1<<3 - 1
	markBits   = 5
)

const _ = uint(stateMask + 1 - len(results.States{})) // or a State has no room in a mark

func markOf(number uint32, a results.AgentSummary) mark {
	m := mark(number)<<markBits | mark(a.State)<<stateShift
	if a.InSync {
		m |= markInSync
	}
	if a.Out {
		m |= markOut
	}
	return m
}

func (m mark) number() uint32 { return uint32(m >> markBits) }

// summary is what m was made of, but for the name.
func (m mark) summary() results.AgentSummary {
	return results.AgentSummary{State: results.State(m >> stateShift & stateMask), InSync: m&markInSync != 0, Out: m&markOut != 0}
}

// tally makes one of what was aggregated for a parent.
func (c *Controller) tally(of results.Parent, next *results.Aggregated) *tally {
	t := &tally{Summary: next.Summary, of: of, marks: make([]mark, 0, len(next.Agents))}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, a := range next.Agents {
		if k := c.agents[a.Name]; k != nil { // else it is gone meanwhile
			t.marks = append(t.marks, markOf(k.number, a))
		}
	}
	slices.Sort(t.marks)
	return t
}

// equal tells whether t says what other says, which may be nil.
func (t *tally) equal(other *tally) bool {
	return other != nil && t.Summary == other.Summary && t.of.Generation == other.of.Generation && slices.Equal(t.marks, other.marks)
}

// withTally has look look at what is remembered of p, or at what is known of it now where nothing is: where it is new or edited, or nobody
// keeps statuses.
func (c *Controller) withTally(p *parent, look func(*tally)) {
	c.statuses.mu.Lock()
	known := c.statuses.all[p.key()]
	if known != nil && known.uid == p.GetUID() && known.told != nil && known.told.of.Generation == p.GetGeneration() {
		defer c.statuses.mu.Unlock()
		look(known.told)
		return
	}
	c.statuses.mu.Unlock()
	agents, shown := c.statuses.knownOf(p)
	asked := p.asked()
	next := results.Aggregate(asked, agents, shown, c.options.Clock.Now())
	look(c.tally(asked, &next))
}

// stir brings what is told of the parent at key up to how its copy in that agent's member fares now.
func (s *statuses) stir(key types.NamespacedName, agent string) {
	s.stirring.Lock() // what was heard first would else overwrite what was heard later
	defer s.stirring.Unlock()
	s.mu.Lock()
	var told *tally
	if known := s.all[key]; known != nil {
		if told = known.told; known.stirred != nil {
			known.stirred[agent] = true
		}
	}
	s.mu.Unlock()
	if told == nil || told.of.Fault != "" {
		return
	}
	one, number, ok := s.agentOf(agent, key)
	if !ok {
		return
	}
	now := s.options.Clock.Now()
	after := results.Summarize(told.of, &one, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	i, selected := slices.BinarySearchFunc(told.marks, number, func(m mark, number uint32) int { return cmp.Compare(m.number(), number) })
	if before := told.marks[i:]; selected && before[0] != markOf(number, after) {
		told.Move(before[0].summary(), after, now)
		before[0] = markOf(number, after)
	}
}

// aggregates notes of which agents something is heard until tells is called: what is aggregated meanwhile may not know of it. The caller has
// the lock.
func (k *status) aggregates() { k.stirred = map[string]bool{} }

// tells has told be what is told of the parent at key. The caller has the lock, and calls what it returns without.
func (s *statuses) tells(key types.NamespacedName, known *status, told *tally) (after func()) {
	isNews := !told.equal(known.told)
	stirred := known.stirred
	known.told, known.stirred = told, nil
	return func() {
		for agent := range stirred {
			s.stir(key, agent)
		}
		if isNews {
			s.changes.tell()
		}
	}
}

// knownOf returns what is known of the agents that p selects, and what its status says. Where replicas share, that is all agents where the
// status is this one's to write, and else its own.
func (s *statuses) knownOf(p *parent) (agents []results.Agent, shown results.Shown) {
	if !s.isMine(p) {
		return s.ownAgentsOf(p), p.shown
	}
	s.mu.Lock()
	known := s.all[p.key()]
	if known == nil || known.uid != p.GetUID() {
		known = &status{before: p.entries, written: results.Written{Shown: p.shown}}
	}
	before, shown := known.before, known.written.Shown
	s.mu.Unlock()
	return s.agentsOf(p, before, s.heardOf(p)), shown
}

// isMine tells whether p's status is this process's to write.
func (s *statuses) isMine(p *parent) bool { return s.options.Share.Mine(string(p.GetUID())) }
