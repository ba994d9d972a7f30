package page

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"fanout/pkg/api"
	"fanout/pkg/results"
)

// soon is when the end of a credential is pointed out.
const soon = 14 * 24 * time.Hour

// agentPage is the page of one agent.
type agentPage struct {
	api.Agent
	Query    query
	Look     look
	Now      time.Time
	Since    *moment
	Expires  *moment
	EndsSoon bool
	Labels   []agentLabel
	Sentence string
	Chips    []chip
	Bar      []segment
	Lines    []agentLine
	Reports  []report
	Down     pager
	Fault    string
	Silent   string
	Partly   bool // of an agent not all is told to who may not see all Canaries
	Commands []command
}

type agentLabel struct{ Key, Value, Href string }

// report is an Event of fanout's on the Secret.
type report struct {
	api.Event
	At *moment
}

// agentLine is one Canary on the agent.
type agentLine struct {
	Namespace, Name, Href string
	Look                  look
	Since, Checked        *moment
	Uptime, Latency       string
	Synced                bool
	OutOfSync             *api.Condition
	Error, Text           string
	cell                  cell
	place                 int
}

func agentView(ctx context.Context, s *snapshot, q query, r *http.Request) shown {
	place, known := s.places[r.PathValue("agent")]
	if !known {
		return problem(fmt.Errorf("%w: there is no agent %q", api.ErrNotFound, results.Clip(r.PathValue("agent"), maxName)))
	}
	p := &agentPage{Agent: s.agents[place], Query: q, Now: s.taken, Silent: s.silent(), Partly: len(s.teller.Namespaces) > 0}
	p.Look, p.Since, p.Expires = lookOfAgent(p.State), stamp(s.taken, &p.Agent.Since), stamp(s.taken, p.CredentialExpires)
	p.EndsSoon = p.CredentialExpires != nil && p.CredentialExpires.Sub(s.taken) < soon
	for _, key := range slices.Sorted(maps.Keys(p.Agent.Labels)) {
		value := p.Agent.Labels[key]
		link := query{Path: "/", Agent: key + "=" + value}
		p.Labels = append(p.Labels, agentLabel{key, value, link.String()})
	}
	for _, event := range p.Agent.Events {
		p.Reports = append(p.Reports, report{event, stamp(s.taken, &event.Time)})
	}
	var t tally
	var lines []agentLine
	text := strings.ToLower(q.Canary)
	for i := range s.canaries {
		row := s.row(ctx, i)
		if row.err != nil {
			p.Fault = "Not all could be looked at: " + results.Clip(row.err.Error(), maxText)
			continue
		}
		c := row.cells[place]
		t.add(c)
		if q.asks(c) && (text == "" || strings.Contains(strings.ToLower(row.canary.Namespace+"/"+row.canary.Name), text)) {
			lines = append(lines, agentLine{Namespace: row.canary.Namespace, Name: row.canary.Name, Look: c.state(), cell: c, place: i})
		}
	}
	p.Chips, p.Bar, p.Sentence = chipsOf(&t, q), barOf(&t), sentence(&t, &api.Canary{})
	if t.total == 0 {
		p.Sentence = "selected by no Canary"
	}
	if q.Sort != sortName {
		slices.SortStableFunc(lines, func(a, b agentLine) int {
			return cmp.Or(cmp.Compare(a.Look.rank, b.Look.rank), boolFirst(a.cell.isOut(), b.cell.isOut()))
		})
	}
	var from, to int
	p.Down, from, to = newPager("Canaries", q.Row, copiesShown, len(lines), q.WithRow)
	for i := from; i < to; i++ {
		lines[i].fill(ctx, s, place)
	}
	p.Lines = lines[from:to]
	p.commands()
	return shown{"agent.html", http.StatusOK, p}
}

// fill adds what is shown of a line.
func (l *agentLine) fill(ctx context.Context, s *snapshot, place int) {
	l.Href = pathOf("canaries", l.Namespace, l.Name)
	l.Since, l.Checked = stampAt(s.taken, l.cell.since), stampAt(s.taken, l.cell.checked)
	l.Synced = l.cell.flags&flagInSync != 0
	if l.cell.runs > 0 {
		l.Uptime = percent(float64(l.cell.passed) / float64(l.cell.runs) * 100)
	}
	if l.cell.latency != noLatency {
		l.Latency = millis(float64(l.cell.latency))
	}
	if !l.cell.isTrouble() {
		return
	}
	c := s.row(ctx, l.place).texts[place]
	if c == nil {
		l.Text = "many agents are in trouble with this Canary: its own page has the texts of all"
		return
	}
	l.Error, l.Text, l.OutOfSync = c.Error, copyLine{Copy: *c}.Note(), c.OutOfSync
	if c.Away != nil && l.Text == "" {
		l.Text = c.Away.Detail
	}
}

func stampAt(now time.Time, then uint32) *moment {
	if then == 0 {
		return nil
	}
	t := time.Unix(int64(then), 0)
	return stamp(now, &t)
}

// commands are what to type next.
func (p *agentPage) commands() {
	name := quote(p.Name)
	if p.Secret != "" {
		secret := quote(p.Secret)
		p.Commands = append(p.Commands,
			command{fmt.Sprintf("kubectl get events -n fanout-system --field-selector involvedObject.name=%s", secret), "in the hub: what fanout reported of the member"},
			command{"fanout check --members", "whether fanout could work with each member, by what its Secret holds"})
	}
	p.Commands = append(p.Commands,
		command{fmt.Sprintf("kubectl --context %s get canaries -A", name), "in the member, where a context has the agent’s name: all that runs there"})
}
