package fanout

import (
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
)

// changes tells those who wait that something changed, all of them at once and not for each change. While nobody waits, a change costs
// a look at one variable.
type changes struct {
	clock  clock.WithDelayedExecution
	wanted atomic.Bool // somebody waits, and nothing has changed since

	mu    sync.Mutex
	next  chan struct{} // nil while nobody waits
	ended bool          // nothing changes any more
}

// changesPause is from a change to when it is told, for what comes with it.
const changesPause = 100 * time.Millisecond

// wait returns a channel that is closed soon after the next change.
func (c *changes) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
		if c.ended { // whoever waits looks again, for somebody else to ask
			c.clock.AfterFunc(changesPause, c.wake)
		} else {
			c.wanted.Store(true)
		}
	}
	return c.next
}

// tell says that something changed.
func (c *changes) tell() {
	if c.wanted.Load() && c.wanted.CompareAndSwap(true, false) {
		c.clock.AfterFunc(changesPause, c.wake)
	}
}

// end says that nothing is told from now on.
func (c *changes) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.wake()
}

// wake wakes those who wait.
func (c *changes) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}
