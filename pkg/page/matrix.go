package page

import (
	"context"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"fanout/pkg/api"
)

// A page of the matrix has so many rows and columns at most: some 200 KB with long names.
const (
	rowsShown    = 30
	columnsShown = 60
)

// matrix is the page of all Canaries on all agents.
type matrix struct {
	Query query
	Keys  []string
	Fault string
	// Headline says in a sentence how all fare.
	Headline string
	Chips    []chip
	Bar      []segment
	// Groups and Columns are the table's head: a group over its columns.
	Groups  []columnGroup
	Columns []column
	Rows    []matrixRow
	Across  pager // of columns
	Down    pager // of rows
	Empty   bool
	Silent  string
	Grouped bool
}

type columnGroup struct {
	Name, Href string
	Span, All  int
	Missing    bool // it is of those without the label
}

type column struct {
	Name, Href string
	Look       look // of the agent itself, where it is bad
	First      bool // of its group
}

type matrixRow struct {
	Namespace, Name, Href string
	Look                  look
	Text                  string
	Fault                 string
	Bar                   []segment
	Cells                 template.HTML
}

// chip is one state with how many copies are in it, and leads to these alone.
type chip struct {
	Look   look
	Count  int
	Href   string
	Active bool
}

// pager leads through the pages of a list.
type pager struct {
	What         string
	From, To     int
	All          int
	Before, Next string
}

func newPager(what string, page, size, all int, at func(int) query) (p pager, from, to int) {
	pages := max(1, (all+size-1)/size)
	page = min(page, pages)
	from, to = (page-1)*size, min(page*size, all)
	p = pager{What: what, From: min(from+1, all), To: to, All: all}
	if page > 1 {
		p.Before = at(page - 1).String()
	}
	if page < pages {
		p.Next = at(page + 1).String()
	}
	return p, from, to
}

// IsNeeded tells whether there is more than one page.
func (p pager) IsNeeded() bool { return p.Before != "" || p.Next != "" }

func matrixView(ctx context.Context, s *snapshot, q query, _ *http.Request) shown {
	c := s.choose(ctx, q)
	m := &matrix{Query: q, Keys: s.keys(), Fault: c.fault, Silent: s.silent(), Chips: chipsOf(&c.tally, q), Bar: barOf(&c.tally), Grouped: q.By != ""}
	if c.err != nil {
		m.Fault = strings.TrimPrefix(m.Fault+" Not all could be looked at: "+c.err.Error(), " ")
	}
	m.headline(s, q, &c)
	var from, to int
	m.Down, from, to = newPager("Canaries", q.Row, rowsShown, len(c.canaries), q.WithRow)
	rows := c.canaries[from:to]
	groups := c.groups
	if q.Columns == groupColumns && q.By != "" {
		m.Across, from, to = newPager("groups", q.Column, columnsShown, len(groups), q.WithColumn)
		groups = groups[from:to]
		m.groupHead(groups, q)
	} else {
		all := 0
		for _, g := range groups {
			all += len(g.agents)
		}
		m.Across, from, to = newPager("agents", q.Column, columnsShown, all, q.WithColumn)
		groups = m.agentHead(s, groups, from, to, q)
	}
	m.Empty = len(rows) == 0 || len(m.Columns) == 0
	for _, i := range rows {
		if !m.Empty {
			m.Rows = append(m.Rows, rowOf(ctx, s, i, groups, q))
		}
	}
	return shown{"matrix.html", http.StatusOK, m}
}

// headline says what there is to know first.
func (m *matrix) headline(s *snapshot, q query, c *chosen) {
	failing, off := 0, 0
	for i := range s.canaries {
		if s.canaries[i].States["Failed"] > 0 {
			failing++
		}
	}
	for i := range s.agents {
		if isOff(&s.agents[i]) {
			off++
		}
	}
	var text []string
	switch all := len(s.canaries); {
	case all == 0:
		text = append(text, "No Canary in the hub has an agentSelector")
	case failing == 0:
		text = append(text, "No Canary fails on any agent")
	default:
		text = append(text, strconv.Itoa(failing)+" of "+plural(all, "Canary fails", "Canaries fail")+" somewhere")
	}
	if off > 0 {
		text = append(text, strconv.Itoa(off)+" of "+plural(len(s.agents), "agent", "agents")+" can’t be reached")
	}
	m.Headline = strings.Join(text, ", ")
}

func chipsOf(t *tally, q query) []chip {
	chips := []chip{{Look: badLook, Count: t.bad}}
	for rank, l := range looks {
		chips = append(chips, chip{Look: l, Count: t.of[rank]})
	}
	chips = append(chips, chip{Look: outLook, Count: t.out})
	kept := chips[:0]
	for _, c := range chips {
		c.Active = q.State == c.Look.Word
		c.Href = q.WithState(c.Look.Word).String()
		if c.Active {
			c.Href = q.WithState("").String()
		}
		if c.Count > 0 || c.Active {
			kept = append(kept, c)
		}
	}
	return kept
}

// segment is a part of a bar, in its 100 units.
type segment struct {
	Look     look
	X, Width float64
}

// barOf draws a tally as a bar, in which even the smallest part can be seen.
func barOf(t *tally) (bar []segment) {
	const least = 1.5
	total, parts := 0.0, [16]float64{}
	for rank, n := range t.of {
		if n > 0 {
			parts[rank] = max(float64(n)/float64(t.total)*100, least)
			total += parts[rank]
		}
	}
	x := 0.0
	for rank := range looks {
		if parts[rank] > 0 {
			width := parts[rank] / total * 100
			bar = append(bar, segment{Look: looks[rank], X: x, Width: round(width + 0.05)})
			x = round(x + width)
		}
	}
	return bar
}

// agentHead makes a column of each agent from..to, and returns the groups with these alone.
func (m *matrix) agentHead(s *snapshot, groups []group, from, to int, q query) (shown []group) {
	at := 0
	for _, g := range groups {
		begin, end := max(from-at, 0), min(to-at, len(g.agents))
		at += len(g.agents)
		if begin >= end {
			continue
		}
		part := group{Name: g.Name, agents: g.agents[begin:end]}
		shown = append(shown, part)
		m.Groups = append(m.Groups, columnGroup{Name: g.Name, Span: end - begin, All: len(g.agents), Missing: g.Name == "", Href: q.WithGroup(g.Name).String()})
		for i, place := range part.agents {
			a := &s.agents[place]
			c := column{Name: a.Name, Href: pathOf("agents", a.Name), First: i == 0}
			if isOff(a) {
				c.Look = lookOfAgent(a.State)
			}
			m.Columns = append(m.Columns, c)
		}
	}
	return shown
}

// groupHead makes a column of each group.
func (m *matrix) groupHead(groups []group, q query) {
	for _, g := range groups {
		c := column{Name: g.Name, Href: q.WithGroup(g.Name).String()}
		if g.Name == "" {
			c.Name, c.Href = "no such label", q.String()
		}
		m.Columns = append(m.Columns, c)
	}
}

// rowOf returns the Canary at place i on the agents of groups.
func rowOf(ctx context.Context, s *snapshot, i int, groups []group, q query) matrixRow {
	r := s.row(ctx, i)
	row := matrixRow{Namespace: r.canary.Namespace, Name: r.canary.Name, Href: pathOf("canaries", r.canary.Namespace, r.canary.Name), Look: lookOf(r.canary.State)}
	if r.err != nil {
		row.Fault = r.err.Error()
		return row
	}
	var whole tally
	for _, c := range r.cells {
		whole.add(c)
	}
	row.Bar, row.Text = barOf(&whole), sentence(&whole, &r.canary)
	var html []byte
	for _, g := range groups {
		var t tally
		for _, place := range g.agents {
			if q.Columns != groupColumns || q.By == "" {
				html = r.cells[place].appendHTML(html, s.taken)
				continue
			}
			t.add(r.cells[place])
		}
		if q.Columns == groupColumns && q.By != "" {
			html = t.appendHTML(html)
		}
	}
	row.Cells = cells(html)
	return row
}

// sentence says how a Canary fares on all its agents, the worst first.
func sentence(t *tally, c *api.Canary) string {
	if c.Fault != "" {
		return "selector does not parse"
	}
	if t.total == 0 {
		return "selects no agent"
	}
	var parts []string
	for rank, l := range looks {
		if n := t.of[rank]; n > 0 && len(parts) < 2 && (l.bad || len(parts) == 0) {
			parts = append(parts, count(n)+" "+strings.ToLower(l.Name))
		}
	}
	if t.out > t.of[lookOf("Missing").rank] { // what is missing is that as well
		parts = append(parts, count(t.out)+" out of sync")
	}
	return strings.Join(parts, ", ") + " of " + count(t.total)
}
