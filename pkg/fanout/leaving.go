package fanout

import (
	"maps"
	"slices"

	"fanout/pkg/api"
	"fanout/pkg/clusters"
)

// An agent that is being deregistered is none any more to any parent. It is told of to those who ask, until its member is clean.

// Depart implements clusters.Handler.
func (c *Controller) Depart(leaving clusters.Missing, particulars *clusters.Particulars) {
	c.mu.Lock()
	c.leaving[particulars.Secret] = &known{missing: &leaving, particulars: particulars}
	c.mu.Unlock()
	c.changes.tell()
}

// Departed implements clusters.Handler.
func (c *Controller) Departed(secret string) {
	c.mu.Lock()
	delete(c.leaving, secret)
	c.mu.Unlock()
	c.changes.tell()
}

// tellLeaving returns the agents that are being deregistered, each once, but those that another Secret registers by now. The caller has the
// lock.
func (c *Controller) tellLeaving() (leaving []api.Agent) {
	told := map[string]bool{}
	for _, secret := range slices.Sorted(maps.Keys(c.leaving)) {
		k := c.leaving[secret]
		if name := k.missing.Agent; c.agents[name] == nil && !told[name] {
			told[name] = true
			leaving = append(leaving, k.tell(name))
		}
	}
	return leaving
}
