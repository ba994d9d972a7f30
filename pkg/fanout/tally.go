package fanout

import (
	"slices"

	"fanout/pkg/results"
)

// tally is what is told of a parent in lists, remembered from when its status was last aggregated: a thousand parents of a thousand agents
// can't be aggregated whenever somebody asks.
type tally struct {
	results.Summary
	generation int64
	marks      []mark
}

// mark is what one agent adds to it, by its number.
type mark uint32

const (
	markInSync mark = 1 << iota
	markOut
	markFailing

	markBits = 3
)

func (m mark) number() uint32 { return uint32(m >> markBits) }

// tally makes one of what was aggregated for p.
func (c *Controller) tally(p *parent, next *results.Aggregated) *tally {
	t := &tally{Summary: next.Summary, generation: p.GetGeneration(), marks: make([]mark, 0, len(next.Agents))}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, a := range next.Agents {
		k := c.agents[a.Name]
		if k == nil {
			continue // gone meanwhile
		}
		m := mark(k.number << markBits)
		if a.InSync {
			m |= markInSync
		}
		if a.Out {
			m |= markOut
		}
		if a.Failing {
			m |= markFailing
		}
		t.marks = append(t.marks, m)
	}
	return t
}

// equal tells whether t says what other says, which may be nil.
func (t *tally) equal(other *tally) bool {
	return other != nil && t.Summary == other.Summary && t.generation == other.generation && slices.Equal(t.marks, other.marks)
}

// tallyOf returns what is remembered of p, or what is known of it now where nothing is: where it is new or edited, or nobody keeps statuses.
func (c *Controller) tallyOf(p *parent) *tally {
	c.statuses.mu.Lock()
	known := c.statuses.all[p.key()]
	if known != nil && known.uid == p.GetUID() && known.told != nil && known.told.generation == p.GetGeneration() {
		defer c.statuses.mu.Unlock()
		return known.told
	}
	c.statuses.mu.Unlock()
	agents, shown := c.statuses.knownOf(p)
	next := results.Aggregate(p.asked(), agents, shown, c.options.Clock.Now())
	return c.tally(p, &next)
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
