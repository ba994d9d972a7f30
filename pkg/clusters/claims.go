package clusters

import (
	"fmt"
	"sync"
	"time"
)

// claims sees to it that one cluster is one member, however many Secrets lead to it. The Secret that was
// created first has the claim, so that a restart decides as before.
type claims struct {
	hubID string

	mu      sync.Mutex
	holders map[string]claim             // by member ID
	waiting map[string]map[string]func() // by member ID and agent: called when the claim is free
}

type claim struct {
	agent   string
	created time.Time
	evict   func()
}

func newClaims(hubID string) *claims {
	return &claims{hubID: hubID, holders: map[string]claim{}, waiting: map[string]map[string]func(){}}
}

// take claims the cluster id for c.agent. It fails where the cluster is the hub or another agent's; notify is
// called once when another attempt makes sense. A younger holder is asked to give up its claim.
func (c *claims) take(id string, mine claim, notify func()) error {
	if id == c.hubID {
		return fmt.Errorf("%w: this kubeconfig leads to the hub itself; name the agent %q in agentSelector instead and delete this Secret", errRefused, reservedAgent)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	holder, held := c.holders[id]
	if !held || holder.agent == mine.agent {
		c.holders[id] = mine
		return nil
	}
	if c.waiting[id] == nil {
		c.waiting[id] = map[string]func(){}
	}
	c.waiting[id][mine.agent] = notify
	if older(mine, holder) {
		holder.evict()
		return fmt.Errorf("%w: waiting for %q, whose Secret is younger and leads to the same cluster", errRefused, holder.agent)
	}
	return fmt.Errorf("%w: duplicates %q: both kubeconfigs lead to the cluster with ID %s; delete one of the two Secrets", errRefused, holder.agent, id)
}

// older orders claims by age, and by name where that is equal.
func older(a, b claim) bool {
	if a.created.Equal(b.created) {
		return a.agent < b.agent
	}
	return a.created.Before(b.created)
}

// release gives up agent's claim on the cluster id, and tells those who wait for it.
func (c *claims) release(id, agent string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holders[id].agent == agent {
		delete(c.holders, id)
	}
	for _, notify := range c.waiting[id] {
		notify()
	}
	delete(c.waiting, id)
}
