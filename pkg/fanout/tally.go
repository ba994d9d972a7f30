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
	told, before, shown := c.statuses.recall(p)
	if told != nil && told.generation == p.GetGeneration() {
		return told
	}
	next := results.Aggregate(p.asked(), c.agentsOf(p, before), shown, c.options.Clock.Now())
	return c.tally(p, &next)
}

// recall returns what is known of p's status, and what that said of agents when fanout started.
func (s *statuses) recall(p *parent) (told *tally, before map[string]*results.Entry, shown results.Shown) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.all[p.key()]
	if known == nil || known.uid != p.GetUID() {
		return nil, p.entries, p.shown
	}
	return known.told, known.before, known.written.Shown
}
