package page

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"fanout/pkg/api"
	"fanout/pkg/results"
)

// query is what an address says of a view behind its path. The zero query is the view as it is first seen.
type query struct {
	// Path is the address without the query, which is what links lead to.
	Path string
	// Canary is part of a namespace/name, Agent part of a name, or a label selector where it has = or in.
	Canary, Agent string
	// State is the Word of a look: which cells are asked for.
	State string
	// By is how agents are grouped: byName, by a label's key, or not.
	By string
	// Columns is what a column is: an agent, or with groupColumns a group of them.
	Columns string
	// Sort is the order: the worst first, or with sortName by name.
	Sort string
	// Row and Column are which pages of a long list are shown, from 1.
	Row, Column int
}

const (
	byName       = "name-" // no label's key ends so
	groupColumns = "groups"
	sortName     = "name"
	maxParameter = 300
	maxPage      = 100_000
)

// parseQuery reads a query, and takes what it can't read for what is not there.
func parseQuery(path string, values url.Values) query {
	get := func(name string) string { return strings.TrimSpace(results.Clip(values.Get(name), maxParameter)) }
	page := func(name string) int {
		n, err := strconv.Atoi(values.Get(name))
		if err != nil || n < 1 || n > maxPage {
			return 1
		}
		return n
	}
	q := query{Path: path, Canary: get("canary"), Agent: get("agent"), By: get("by"), Row: page("row"), Column: page("column")}
	if state := get("state"); slices.ContainsFunc(choices, func(l look) bool { return l.Word == state }) {
		q.State = state
	}
	if get("columns") == groupColumns {
		q.Columns = groupColumns
	}
	if get("sort") == sortName {
		q.Sort = sortName
	}
	return q
}

// choices are what State may be.
var choices = append([]look{badLook, outLook}, looks...)

// String is the address of q, relative to the host: always the same one for the same view.
func (q query) String() string {
	values := url.Values{}
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	set("canary", q.Canary)
	set("agent", q.Agent)
	set("state", q.State)
	set("by", q.By)
	set("columns", q.Columns)
	set("sort", q.Sort)
	if q.Row > 1 {
		set("row", strconv.Itoa(q.Row))
	}
	if q.Column > 1 {
		set("column", strconv.Itoa(q.Column))
	}
	path := url.URL{Path: q.Path}
	if len(values) == 0 {
		return path.EscapedPath()
	}
	return path.EscapedPath() + "?" + values.Encode()
}

// WithState is q for another state, from the first page on.
func (q query) WithState(state string) query {
	q.State, q.Row, q.Column = state, 1, 1
	return q
}

// WithRow is another page of rows of q, and WithColumn of columns.
func (q query) WithRow(n int) query {
	q.Row = n
	return q
}

// WithColumn is another page of columns of q.
func (q query) WithColumn(n int) query {
	q.Column = n
	return q
}

// WithGroup is q for one group of agents alone, each of them in a column.
func (q query) WithGroup(group string) query {
	q.Row, q.Column, q.Columns = 1, 1, ""
	switch {
	case group == "":
	case q.By == byName:
		q.Agent = group
	case q.By != "":
		q.Agent = q.By + "=" + group
	}
	return q
}

// IsNarrowed tells whether q leaves anything out.
func (q query) IsNarrowed() bool { return q.Canary != "" || q.Agent != "" || q.State != "" }

// asks tells whether a cell is one that State asks for.
func (q query) asks(c cell) bool {
	switch q.State {
	case "":
		return c.isThere()
	case badLook.Word:
		return c.isTrouble()
	case outLook.Word:
		return c.isOut()
	default:
		return c.isThere() && c.state().Word == q.State
	}
}

// chooser returns what tells whether an agent is one that Agent asks for. What can't be read asks for all, and says why.
func (q query) chooser() (chooses func(*api.Agent) bool, fault string) {
	text := strings.ToLower(q.Agent)
	if text == "" {
		return func(*api.Agent) bool { return true }, ""
	}
	if !strings.Contains(text, "=") && !strings.Contains(text, " in ") && !strings.Contains(text, " notin ") {
		return func(a *api.Agent) bool { return strings.Contains(strings.ToLower(a.Name), text) }, ""
	}
	selector, err := labels.Parse(q.Agent)
	if err != nil {
		return func(*api.Agent) bool { return true }, "This is no label selector, so all agents are shown: " + results.Clip(err.Error(), maxText)
	}
	return func(a *api.Agent) bool { return selector.Matches(labels.Set(a.Labels)) }, ""
}

// pathOf returns the address of an object's page.
func pathOf(parts ...string) string {
	path := ""
	for _, part := range parts {
		path += "/" + url.PathEscape(part)
	}
	return path
}
