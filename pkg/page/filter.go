package page

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"fanout/pkg/api"
)

// chosen is what a view shows of a snapshot: places of Canaries and agents, in their order.
type chosen struct {
	canaries []int
	groups   []group
	// tally is of all that the texts of the filter leave, whatever their state.
	tally tally
	fault string
	err   error
}

// group is some agents that have a label in common, or the beginning of their names.
type group struct {
	Name   string
	agents []int // places
	bad    int
}

// choose returns what q asks for.
func (s *snapshot) choose(ctx context.Context, q query) chosen {
	var c chosen
	chooses, fault := q.chooser()
	c.fault = fault
	chosenAgent := make([]bool, len(s.agents))
	for i := range s.agents {
		chosenAgent[i] = chooses(&s.agents[i])
	}
	text := strings.ToLower(q.Canary)
	wanted := make([]bool, len(s.agents)) // the agents with a cell that is asked for
	for i := range s.canaries {
		canary := &s.canaries[i]
		if text != "" && !strings.Contains(strings.ToLower(canary.Namespace+"/"+canary.Name), text) {
			continue
		}
		if q.Agent == "" {
			c.tally.addCanary(ctx, s, i)
			if q.State == "" {
				c.canaries = append(c.canaries, i)
				continue
			}
			if !mayHave(canary, q.State) {
				continue
			}
		}
		row := s.row(ctx, i)
		if row.err != nil {
			c.err = cmp.Or(c.err, row.err)
			continue
		}
		has := false
		for place, cell := range row.cells {
			if !chosenAgent[place] {
				continue
			}
			if q.Agent != "" {
				c.tally.add(cell)
			}
			if q.asks(cell) {
				has, wanted[place] = true, true
			}
		}
		if has {
			c.canaries = append(c.canaries, i)
		}
	}
	if q.Sort != sortName {
		slices.SortStableFunc(c.canaries, func(a, b int) int { return compareTrouble(&s.canaries[a], &s.canaries[b]) })
	}
	var places []int
	for i, is := range chosenAgent {
		if is && (q.State == "" || wanted[i]) {
			places = append(places, i)
		}
	}
	c.groups = s.group(places, q)
	return c
}

// addCanary adds what a Canary says of all its copies. What is missing is out of sync as well; where more than that is, it takes a look at
// all copies to tell how many are in any trouble.
func (t *tally) addCanary(ctx context.Context, s *snapshot, i int) {
	c := &s.canaries[i]
	if c.OutOfSync > c.States["Missing"] {
		if row := s.row(ctx, i); row.err == nil {
			for _, cell := range row.cells {
				t.add(cell)
			}
			return
		}
	}
	for rank, l := range looks {
		t.of[rank] += c.States[l.Name]
		if l.bad {
			t.bad += c.States[l.Name]
		}
	}
	t.total += c.Agents
	t.out += c.OutOfSync
}

// badOf returns how many copies of c are in a bad state.
func badOf(c *api.Canary) (n int) {
	for _, l := range looks {
		if l.bad {
			n += c.States[l.Name]
		}
	}
	return n
}

// mayHave tells whether a Canary has a copy in that state, by what is known without a look at its copies.
func mayHave(c *api.Canary, state string) bool {
	switch state {
	case badLook.Word:
		return badOf(c) > 0 || c.OutOfSync > 0
	case outLook.Word:
		return c.OutOfSync > 0
	}
	for _, l := range looks {
		if l.Word == state {
			return c.States[l.Name] > 0
		}
	}
	return true
}

// compareTrouble puts the Canary first that has more copies in the worst state.
func compareTrouble(a, b *api.Canary) int {
	for _, l := range looks {
		if l.bad {
			if order := cmp.Compare(b.States[l.Name], a.States[l.Name]); order != 0 {
				return order
			}
		}
	}
	return cmp.Or(cmp.Compare(b.OutOfSync, a.OutOfSync), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
}

// troubleOf returns how badly an agent fares: the more fail there the worse, then whether it can be reached, then what is out of sync.
func troubleOf(a *api.Agent) int {
	trouble := a.Failing<<32 + min(a.OutOfSync, 1<<15)
	if isOff(a) {
		trouble += 1 << 16
	}
	return trouble
}

// group puts agents into groups, which are in order, as the agents in each are.
func (s *snapshot) group(places []int, q query) []group {
	if q.Sort != sortName {
		slices.SortStableFunc(places, func(a, b int) int {
			return cmp.Or(cmp.Compare(troubleOf(&s.agents[b]), troubleOf(&s.agents[a])), strings.Compare(s.agents[a].Name, s.agents[b].Name))
		})
	}
	var groups []group
	index := map[string]int{}
	for _, place := range places {
		name := groupOf(&s.agents[place], q.By)
		at, known := index[name]
		if !known {
			at = len(groups)
			index[name] = at
			groups = append(groups, group{Name: name})
		}
		groups[at].agents = append(groups[at].agents, place)
		groups[at].bad += troubleOf(&s.agents[place])
	}
	slices.SortStableFunc(groups, func(a, b group) int {
		if a.Name == "" || b.Name == "" { // what has no such label comes last
			return cmp.Compare(b.Name, a.Name)
		}
		if q.Sort == sortName {
			return strings.Compare(a.Name, b.Name)
		}
		return cmp.Or(cmp.Compare(b.bad, a.bad), strings.Compare(a.Name, b.Name))
	})
	return groups
}

// groupOf returns the name of an agent's group.
func groupOf(a *api.Agent, by string) string {
	switch by {
	case "":
		return ""
	case byName:
		prefix, _, _ := strings.Cut(a.Name, "-")
		return prefix
	default:
		return a.Labels[by]
	}
}

// maxKeys is by how many labels one can choose to group.
const maxKeys = 20

// keys returns the labels' keys by which agents can be grouped, the most common first.
func (s *snapshot) keys() []string {
	count := map[string]int{}
	for i := range s.agents {
		for key := range s.agents[i].Labels {
			count[key]++
		}
	}
	keys := make([]string, 0, len(count))
	for key := range count {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), strings.Compare(a, b)) })
	return keys[:min(len(keys), maxKeys)]
}
