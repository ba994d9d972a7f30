package fanout

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/results"
)

// known is what is known of an agent that is registered.
type known struct {
	// at is what works in its member, nil where that is not joined.
	at *running
	// last is what did so before, kept for what it knows until at knows better.
	last *running
	// missing is why the member is not joined, kept until at knows better.
	missing *clusters.Missing

	// What follows is of interest to those alone who ask: see tell.go.
	number      uint32    // another one for each agent that there ever was
	since       time.Time // when its member was joined or left
	particulars *clusters.Particulars
}

// join notes that m is at work. What was known of another cluster of that name is not believed of this one. The caller has the lock.
func (c *Controller) join(m *running) {
	k := c.known(m.name)
	k.since = c.options.Clock.Now()
	if k.at = m; k.last != nil && k.last.id != m.id {
		k.last = nil
	}
}

// leave notes that m is not at work any more. The caller has the lock.
func (c *Controller) leave(m *running) {
	if m == nil {
		return
	}
	k := c.agents[m.name]
	if k == nil || k.at != m {
		return
	}
	k.since = c.options.Clock.Now()
	if k.at = nil; m.IsKnown() {
		k.last = m
	}
}

func (c *Controller) known(name string) *known {
	k := c.agents[name]
	if k == nil {
		k = &known{number: c.numbered}
		c.numbered++
		c.agents[name] = k
	}
	return k
}

// Miss implements clusters.Handler: it has the parents that select the agent say so.
func (c *Controller) Miss(missing clusters.Missing) {
	c.mu.Lock()
	k := c.known(missing.Agent)
	before := k.labels()
	if missing.State != clusters.Connecting || k.missing == nil && k.last == nil {
		k.missing = &missing
	}
	last := k.last
	if missing.State == clusters.Elsewhere {
		k.last = nil
	}
	c.mu.Unlock()
	if missing.State == clusters.Elsewhere && last != nil {
		c.statuses.keep(missing.Agent, last)
	}
	c.changes.tell()
	c.statuses.lookFor(missing.Agent, missing.Labels)
	c.statuses.lookForFormer(missing.Agent, before, missing.Labels)
}

// Note implements clusters.Handler.
func (c *Controller) Note(agent string, known *clusters.Particulars) {
	c.mu.Lock()
	c.known(agent).particulars = known
	c.mu.Unlock()
	c.changes.tell()
}

// Reported implements clusters.Handler.
func (c *Controller) Reported() { c.changes.tell() }

// Forget implements clusters.Handler: no parent speaks of the agent any more.
func (c *Controller) Forget(name string) {
	c.mu.Lock()
	k := c.agents[name]
	delete(c.agents, name)
	c.mu.Unlock()
	c.changes.tell()
	if k != nil {
		c.statuses.lookFor(name, k.labels())
	}
}

// Complete implements clusters.Handler: from now on an agent that is not known is none.
func (c *Controller) Complete() { c.statuses.begin() }

// heardFrom notes that it is known what a's member holds, or why that can't be known.
func (c *Controller) heardFrom(a *agent) {
	c.mu.Lock()
	if k := c.agents[a.name]; k != nil && k.at != nil && k.at.agent == a {
		k.last, k.missing = nil, nil
	}
	c.mu.Unlock()
	c.changes.tell()
	c.statuses.lookFor(a.name, a.labels())
}

// labels are those by which the agent is selected, nil where they are not known.
func (k *known) labels() map[string]string {
	switch {
	case k.at != nil:
		return k.at.labels()
	case k.missing != nil:
		return k.missing.Labels
	case k.last != nil:
		return k.last.labels()
	default:
		return nil
	}
}

// informant is who knows what the member holds, or held; nil where nobody does.
func (k *known) informant() *running {
	if k.at != nil && k.at.IsKnown() {
		return k.at
	}
	return k.last
}

// isElsewhere tells whether another replica works with the member.
func (k *known) isElsewhere() bool {
	return k.at == nil && k.missing != nil && k.missing.State == clusters.Elsewhere
}

// away says why the member can't be asked.
func (k *known) away() results.Condition {
	if k.missing == nil || k.missing.State == clusters.Connecting || k.isElsewhere() || k.at != nil && k.at.IsKnown() {
		return results.Condition{}
	}
	return results.NewCondition(string(k.missing.State), k.missing.Detail, k.missing.Since)
}

// agentOf is what is known of one agent and its copy of the parent at key, and the agent's number; ok is false where that is not what its member
// holds now.
func (c *Controller) agentOf(name string, key types.NamespacedName) (agent results.Agent, number uint32, ok bool) {
	c.mu.RLock()
	k := c.agents[name]
	if k == nil || k.at == nil {
		c.mu.RUnlock()
		return results.Agent{}, 0, false
	}
	at, number := k.at, k.number
	c.mu.RUnlock()
	agent = at.Report(derive.Place(key, name))
	agent.Name = name
	return agent, number, at.IsKnown() && !agent.Unheard
}

// agentsOf is what is known of the agents that p selects; while its selector is not valid, of those that hold a copy of it. before is
// what p's status said of them when nothing was known yet, and heard what other replicas told of theirs.
func (c *Controller) agentsOf(p *parent, before map[string]*results.Entry, heard map[string]*results.Agent) []results.Agent {
	return c.agentsWhere(p, before, heard, func(*known) bool { return true })
}

// ownAgentsOf is agentsOf of those that are this replica's.
func (c *Controller) ownAgentsOf(p *parent) []results.Agent {
	return c.agentsWhere(p, nil, nil, func(k *known) bool { return !k.isElsewhere() })
}

func (c *Controller) agentsWhere(p *parent, before map[string]*results.Entry, heard map[string]*results.Agent, counts func(*known) bool) []results.Agent {
	type asked struct {
		name      string
		informant *running
		away      results.Condition
		told      *results.Agent
	}
	var selected []asked
	c.mu.RLock()
	for name, k := range c.agents {
		if !counts(k) {
			continue
		}
		one := asked{name: name, informant: k.informant()}
		labels := k.labels()
		_, listed := before[name]
		if k.isElsewhere() && heard[name] != nil {
			one.told, listed = heard[name], true
		}
		switch {
		case p.invalid != nil && one.informant != nil:
			if !one.informant.Holds(derive.Place(p.key(), name)) {
				continue
			}
		case p.invalid != nil, labels == nil && k.at == nil:
			if !listed {
				continue
			}
		case !p.matches(name, labels):
			continue
		}
		one.away = k.away()
		selected = append(selected, one)
	}
	c.mu.RUnlock()

	agents := make([]results.Agent, len(selected))
	for i, one := range selected {
		switch {
		case one.told != nil:
			agents[i] = *one.told
		case one.informant != nil:
			agents[i] = one.informant.Report(derive.Place(p.key(), one.name))
			agents[i].Away = one.away
		default:
			agents[i].Unheard, agents[i].Away = one.away.Reason == "", one.away
		}
		agents[i].Name, agents[i].Before = one.name, before[one.name]
	}
	return agents
}
