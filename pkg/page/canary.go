package page

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"fanout/pkg/api"
)

const (
	copiesShown      = 100 // on one page
	errorsShown      = 12
	transitionsShown = 12
	namesShown       = 8
)

// canaryPage is the page of one Canary.
type canaryPage struct {
	api.Canary
	Query       query
	Keys        []string
	Look        look
	Now         time.Time
	Sentence    string
	Chips       []chip
	Bar         []segment
	Selector    explained
	Errors      []sharedError
	MoreErrors  int
	Chart       chart
	Transitions []copyLine
	Copies      []copyLine
	Down        pager
	Commands    []command
	Checked     *moment
	Changed     *moment
	Fault       string
}

// copyLine is a copy as a line of a table.
type copyLine struct {
	api.Copy
	Look           look
	Href           string
	Since, Checked *moment
	cell           cell
	agent          *api.Agent // nil where it is not known any more
}

// Note is what there is to say of it.
func (l copyLine) Note() string {
	if l.OutOfSync != nil && l.OutOfSync.Detail != "" && l.Text == l.OutOfSync.Detail {
		return ""
	}
	return l.Text
}

// sharedError is an error with all agents that have it.
type sharedError struct {
	Text   string
	Look   look
	Agents []copyLine
	More   int
	All    int
}

// command is something to type, and what for.
type command struct{ Text, Why string }

func canaryView(ctx context.Context, s *snapshot, q query, r *http.Request) shown {
	answer, err := s.ask(ctx, r.PathValue("namespace"), r.PathValue("name"))
	if err != nil {
		return problem(err)
	}
	p := &canaryPage{Canary: cleanCanary(answer.Canary), Query: q, Keys: s.keys(), Now: s.taken}
	p.Look, p.Checked, p.Changed = lookOf(p.State), stamp(s.taken, p.LastCheck), stamp(s.taken, p.LastTransition)
	all := make([]copyLine, len(answer.Canary.Copies))
	var t tally
	for i := range answer.Canary.Copies {
		all[i] = s.line(&answer.Canary.Copies[i])
		t.add(all[i].cell)
	}
	p.Chips, p.Bar, p.Sentence = chipsOf(&t, q), barOf(&t), sentence(&t, &p.Canary)
	p.Selector = s.explain(&answer.Canary)
	p.Errors, p.MoreErrors = shareErrors(all)
	p.Transitions = latest(all)
	chooses, fault := q.chooser()
	p.Fault = fault
	kept := make([]copyLine, 0, len(all))
	for _, l := range all {
		named := api.Agent{Name: l.Agent}
		if l.agent != nil {
			named = *l.agent
		}
		if chooses(&named) && q.asks(l.cell) {
			kept = append(kept, l)
		}
	}
	p.Chart = chartOf(kept, q.By)
	if q.Sort != sortName {
		slices.SortStableFunc(kept, func(a, b copyLine) int {
			return cmp.Or(cmp.Compare(a.Look.rank, b.Look.rank), boolFirst(a.cell.isOut(), b.cell.isOut()), strings.Compare(a.Agent, b.Agent))
		})
	}
	var from, to int
	p.Down, from, to = newPager("agents", q.Row, copiesShown, len(kept), q.WithRow)
	p.Copies = kept[from:to]
	p.Commands = commandsFor(&p.Canary, kept)
	return shown{"canary.html", http.StatusOK, p}
}

func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// line returns a copy as it is shown.
func (s *snapshot) line(c *api.Copy) copyLine {
	l := copyLine{Copy: cleanCopy(*c), Look: lookOf(c.State), cell: cellOf(c), Since: stamp(s.taken, sinceOf(c)), Checked: stamp(s.taken, c.LastCheck)}
	l.Href = pathOf("agents", l.Agent)
	if place, known := s.places[c.Agent]; known {
		l.agent = &s.agents[place]
	}
	return l
}

// shareErrors puts the agents together that say the same, the most common first.
func shareErrors(all []copyLine) (shared []sharedError, more int) {
	index := map[string]int{}
	for _, l := range all {
		text := l.Error
		switch {
		case !l.cell.isTrouble():
			continue
		case l.State != "Failed" && l.State != "Invalid" && l.OutOfSync != nil:
			text = strings.TrimSuffix(l.OutOfSync.Reason+": "+l.OutOfSync.Detail, ": ")
		case l.State == "Unreachable" && l.Away != nil:
			text = strings.TrimSuffix(l.Away.Reason+": "+l.Away.Detail, ": ")
		}
		text = cmp.Or(text, l.Text, l.State)
		at, known := index[text]
		if !known {
			at = len(shared)
			index[text] = at
			shared = append(shared, sharedError{Text: text, Look: l.Look})
		}
		shared[at].All++
		if len(shared[at].Agents) < namesShown {
			shared[at].Agents = append(shared[at].Agents, l)
		} else {
			shared[at].More++
		}
	}
	slices.SortStableFunc(shared, func(a, b sharedError) int {
		return cmp.Or(cmp.Compare(a.Look.rank, b.Look.rank), cmp.Compare(b.All, a.All))
	})
	n := min(len(shared), errorsShown)
	return shared[:n], len(shared) - n
}

// latest returns the copies that changed last.
func latest(all []copyLine) []copyLine {
	var changed []copyLine
	for _, l := range all {
		if sinceOf(&l.Copy) != nil && (l.LastTransition != nil || l.Away != nil) {
			changed = append(changed, l)
		}
	}
	slices.SortStableFunc(changed, func(a, b copyLine) int { return sinceOf(&b.Copy).Compare(*sinceOf(&a.Copy)) })
	return changed[:min(len(changed), transitionsShown)]
}

// commandsFor are what to type next.
func commandsFor(c *api.Canary, lines []copyLine) []command {
	namespace, name := quote(c.Namespace), quote(c.Name)
	commands := []command{
		{fmt.Sprintf("kubectl get canary %s -n %s -o yaml", name, namespace), "in the hub: the parent as it is, with its status"},
		{fmt.Sprintf("kubectl get events -n %s --field-selector involvedObject.name=%s", namespace, name), "in the hub: what fanout reported of it"},
	}
	if len(lines) > 0 {
		l := lines[0]
		commands = append(commands,
			command{fmt.Sprintf("kubectl --context %s get canary %s -n %s -o yaml", quote(l.Agent), quote(l.Name), quote(l.Namespace)), "in the member, where a context has the agent’s name: the copy"},
			command{fmt.Sprintf("kubectl --context %s get events -n %s --field-selector involvedObject.name=%s", quote(l.Agent), quote(l.Namespace), quote(l.Name)), "in the member: what canary-checker reported of it"})
	}
	return commands
}

// quote returns a word of a shell's command. What no name of Kubernetes can hold is not for a shell at all.
func quote(word string) string {
	for i := range len(word) {
		b := word[i]
		if b != '-' && b != '.' && (b < '0' || b > '9') && (b < 'a' || b > 'z') {
			return "NAME"
		}
	}
	if word == "" || word[0] == '-' {
		return "NAME"
	}
	return word
}
