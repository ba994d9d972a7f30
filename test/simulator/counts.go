package simulator

import (
	"sync"
	"sync/atomic"
	"time"
)

// counts is what members were asked for, and what they did.
type counts struct {
	watchBytes, watchEvents, statuses atomic.Int64
	busy                              atomic.Int64 // when something but a probe or a bookmark was last asked or told, in ns since 1970

	mu               sync.Mutex
	requests, writes map[string]int64
}

func (c *counts) request(verb, resource string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.requests == nil {
		c.requests = map[string]int64{}
	}
	c.requests[verb+" "+resource]++
	if resource != namespaces.Resource {
		c.busy.Store(time.Now().UnixNano())
	}
}

// write counts what changed something.
func (c *counts) write(resource string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes == nil {
		c.writes = map[string]int64{}
	}
	c.writes[resource]++
}

// arrivals waits for what is to come into members.
type arrivals struct {
	active atomic.Int32

	mu      sync.Mutex
	waiting map[string]*awaited
}

// awaited is a text that members' Canaries are to hold, and when which member got one that does.
type awaited struct {
	left  int
	times []Arrival
	done  chan struct{}
}

// Arrival is a change that came into a member.
type Arrival struct {
	Member int       `json:"member"`
	Time   time.Time `json:"time"`
}
