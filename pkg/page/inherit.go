package page

import (
	"maps"
	"slices"
	"time"

	"fanout/pkg/api"
)

// maxRowAge is for how long a row serves of which nothing has changed but times, uptimes and latencies.
const maxRowAge = 10 * time.Second

// inherit takes over the rows of an older snapshot in which no copy fares otherwise by now. To ask for all copies of all Canaries costs by far
// the most, and lists tell of what has changed: a Canary's row by how many of its copies are in which state, and an agent's column, too, so
// that two changes which make up for each other in one are seen in the other.
func (s *snapshot) inherit(old *snapshot) {
	if old == nil || s.err != nil || !slices.EqualFunc(s.agents, old.agents, func(a, b api.Agent) bool { return a.Name == b.Name }) {
		return
	}
	old.mu.Lock()
	rows := maps.Clone(old.rows)
	old.mu.Unlock()
	if len(rows) == 0 {
		return
	}
	places := make(map[[2]string]int, len(s.canaries))
	for i := range s.canaries {
		places[[2]string{s.canaries[i].Namespace, s.canaries[i].Name}] = i
	}
	explained := false
	for before, row := range rows {
		i, known := places[[2]string{old.canaries[before].Namespace, old.canaries[before].Name}]
		if !known || !row.isRead.Load() || row.err != nil || !isSame(&row.canary, &s.canaries[i]) {
			explained = true
			continue
		}
		if s.taken.Sub(row.readAt) < maxRowAge && s.room >= len(s.agents) {
			s.rows[i] = row
			s.room -= len(s.agents)
		}
	}
	if !explained && !slices.EqualFunc(s.agents, old.agents, isSameAgent) {
		s.rows, s.room = map[int]*row{}, maxCells
	}
}

// isSame tells whether as many copies of a Canary are in each state.
func isSame(a, b *api.Canary) bool {
	return a.Generation == b.Generation && a.State == b.State && a.Agents == b.Agents && a.InSync == b.InSync && a.OutOfSync == b.OutOfSync && maps.Equal(a.States, b.States)
}

// isSameAgent tells whether an agent is as well, and as many of its copies.
func isSameAgent(a, b api.Agent) bool {
	return a.State == b.State && a.Selected == b.Selected && a.InSync == b.InSync && a.OutOfSync == b.OutOfSync && a.Failing == b.Failing
}
