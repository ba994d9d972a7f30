package fanout

import (
	"sync/atomic"

	"fanout/pkg/clusters"
)

// agent is a member as selectors see it. Its labels may change while it is at work.
type agent struct {
	name    string
	current atomic.Pointer[map[string]string]
}

func newAgent(joined *clusters.Member) *agent {
	a := &agent{name: joined.Agent}
	a.current.Store(&joined.Labels)
	return a
}

func (a *agent) labels() map[string]string { return *a.current.Load() }

// relabel gives it other labels, and returns those that it had.
func (a *agent) relabel(labels map[string]string) (before map[string]string) {
	return *a.current.Swap(&labels)
}

// isIn tells whether p selects it.
func (a *agent) isIn(p *parent) bool { return p.matches(a.name, a.labels()) }
