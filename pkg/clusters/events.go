package clusters

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of what is remembered of a Secret's Events.
const (
	maxEvents    = 5
	maxEventText = 256 // bytes of each
)

// Events are the last few that were put on one Secret since this process began. They are remembered here, since fanout may create Events
// and may not read them. All methods may be called at the same time.
type Events struct {
	mu   sync.Mutex
	last []Event // the latest first; never changed, so that it can be handed out
}

// Event is one of them.
type Event struct {
	Time    time.Time
	Warning bool
	Reason  string
	Message string
}

// Last returns them, the latest first. Nobody changes what is returned.
func (e *Events) Last() []Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

// add remembers an Event. One that says what the last did takes its place, as the hub counts it, too.
func (e *Events) add(event Event) {
	if len(event.Message) > maxEventText {
		const cut = "…"
		event.Message = strings.ToValidUTF8(event.Message[:maxEventText-len(cut)], "") + cut
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.last
	if len(before) > 0 && before[0].Reason == event.Reason && before[0].Message == event.Message {
		before = before[1:]
	}
	e.last = slices.Concat([]Event{event}, before[:min(len(before), maxEvents-1)])
}
