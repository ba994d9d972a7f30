package results

import (
	"regexp"
	"strings"
)

// Told is what an entry says, taken apart for whoever shows it. All of its text is bounded and harmless.
type Told struct {
	// State is how the agent is doing, Before how the copy fared when something was last heard of it; Pending is that this is not known.
	State, Before State
	// Out is why it is out of sync, InSync that it is known to be in sync.
	Out    string
	InSync bool
	// Text comes after that in the message.
	Text   string
	Result Result
	// Uptime and Latency are as in the entry.
	Uptime, Latency string
}

// Told takes the entry apart.
func (e *Entry) Told() Told {
	e = e.bounded()
	h, text := e.head()
	return Told{State: h.state, Before: h.last, Out: h.out, InSync: h.inSync(), Text: text, Result: e.result(), Uptime: e.Uptime, Latency: e.Latency}
}

// CountIn reads how many agents are in that state from the message of a parent's status.
func (s State) CountIn(message string) int {
	return find(countedIn[s], message)
}

// countedIn finds each state's number in a message.
var countedIn = func() (patterns [len(stateNames)]*regexp.Regexp) {
	for state, name := range stateNames {
		patterns[state] = regexp.MustCompile(`[:,] (\d{1,9}) ` + strings.ToLower(name) + `\b`)
	}
	return patterns
}()
