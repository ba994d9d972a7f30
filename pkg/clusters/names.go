package clusters

import (
	"fmt"
	"sync"
)

// names sees to it that an agent's name is that of one Secret's member, and that one member has it at a time. Of
// several Secrets that say the same name the one that was created first has it, whether or not its member can be
// reached: an outage must not make of an agent another cluster. So the others do not get it while that Secret says so.
type names struct {
	mu       sync.Mutex
	contests map[string]*contest // by agent
}

// contest is who wants a name, by Secret, and who has it: a Secret, or none.
type contest struct {
	wanting map[string]contender
	holder  string
}

// contender is told by notify that another attempt makes sense, and asked by its claim's evict to give the name back.
type contender struct {
	claim
	notify func()
}

func newNames() *names { return &names{contests: map[string]*contest{}} }

// take has mine.secret want the agent's name from now on, until leave, and gives it the name if it is the oldest that does
// and no other has it. If not, notify is called when another attempt makes sense. A younger holder is asked to give the
// name back.
func (n *names) take(agent string, mine claim, notify func()) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.contests[agent]
	if c == nil {
		c = &contest{wanting: map[string]contender{}}
		n.contests[agent] = c
	}
	c.wanting[mine.secret] = contender{claim: mine, notify: notify}
	oldest := c.oldest()
	switch {
	case oldest.secret != mine.secret:
		return fmt.Errorf("%w: duplicates %q: both Secrets register the agent %q, and one of the two has to go or to take another name", errRefused, oldest.secret, agent)
	case c.holder == "" || c.holder == mine.secret:
		c.holder = mine.secret
		return nil
	}
	c.wanting[c.holder].evict()
	return fmt.Errorf("%w: waiting for %q, whose Secret is younger and registers the same agent", errRefused, c.holder)
}

// release gives the name back, for whoever is the oldest that wants it.
func (n *names) release(agent, secret string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.contests[agent]
	if c == nil || c.holder != secret {
		return
	}
	c.holder = ""
	if oldest := c.oldest(); oldest.secret != secret {
		oldest.notify()
	}
}

// leave has the Secret want the name no longer.
func (n *names) leave(agent, secret string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.contests[agent]
	if c == nil {
		return
	}
	delete(c.wanting, secret)
	if c.holder == secret {
		c.holder = ""
	}
	if len(c.wanting) == 0 {
		delete(n.contests, agent)
	} else if c.holder == "" {
		c.oldest().notify()
	}
}

func (c *contest) oldest() contender {
	var oldest contender
	for _, each := range c.wanting {
		if oldest.secret == "" || older(each.claim, oldest.claim) {
			oldest = each
		}
	}
	return oldest
}
