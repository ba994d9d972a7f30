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
	waiting map[string]map[string]func() // by member ID and Secret: called when the claim is free
}

// claim is what a Secret, created then, has or wants for itself. It is asked by evict to give it up.
type claim struct {
	secret  string
	created time.Time
	evict   func()
}

func newClaims(hubID string) *claims {
	return &claims{hubID: hubID, holders: map[string]claim{}, waiting: map[string]map[string]func(){}}
}

// take claims the cluster id for mine.secret. It fails where the cluster is the hub or another Secret's; notify is
// called once when another attempt makes sense. A younger holder is asked to give up its claim.
func (c *claims) take(id string, mine claim, notify func()) error {
	if id == c.hubID {
		return fmt.Errorf("%w: this Secret leads to the hub itself, which is no member; name the agent %q in agentSelector instead", errRefused, reservedAgent)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	holder, held := c.holders[id]
	if !held || holder.secret == mine.secret {
		c.holders[id] = mine
		return nil
	}
	if c.waiting[id] == nil {
		c.waiting[id] = map[string]func(){}
	}
	c.waiting[id][mine.secret] = notify
	if older(mine, holder) {
		holder.evict()
		return fmt.Errorf("%w: waiting for %q, whose Secret is younger and leads to the same cluster", errRefused, holder.secret)
	}
	return fmt.Errorf("%w: duplicates %q: both Secrets lead to the cluster with ID %s, and one of the two is enough", errRefused, holder.secret, id)
}

// older orders claims by age, and by name where that is equal.
func older(a, b claim) bool {
	if a.created.Equal(b.created) {
		return a.secret < b.secret
	}
	return a.created.Before(b.created)
}

// release gives up the Secret's claim on the cluster id, and tells those who wait for it.
func (c *claims) release(id, secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holders[id].secret == secret {
		delete(c.holders, id)
	}
	for _, notify := range c.waiting[id] {
		notify()
	}
	delete(c.waiting, id)
}
