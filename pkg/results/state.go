package results

import (
	"slices"
	"time"
)

// State is how an agent, or a parent over all of its agents, is doing. Its text is what `kubectl get canaries` shows.
type State uint8

// The states. Of several agents' states the parent's is the one that comes first in Worst.
const (
	Pending     State = iota // not run yet
	Passed                   // nothing failed when it was last run
	Failed                   // something did
	Invalid                  // canary-checker can't run it as it is, or says what is not known here
	Missing                  // the copy is not in the member, and not for want of time
	Unreachable              // the member can't be asked
	Stale                    // it was not run when it should have been
	Paused                   // it is not to be run
)

var stateNames = [...]string{
	Pending: "Pending", Passed: "Passed", Failed: "Failed", Invalid: "Invalid",
	Missing: "Missing", Unreachable: "Unreachable", Stale: "Stale", Paused: "Paused",
}

// Worst are all states, in the order in which agents are listed.
var Worst = []State{Failed, Invalid, Missing, Unreachable, Stale, Paused, Pending, Passed}

func (s State) String() string { return stateNames[s] }

// parseState is the inverse of String.
func parseState(text string) (s State, ok bool) {
	i := slices.Index(stateNames[:], text)
	return State(max(i, 0)), i >= 0
}

// rank is the place of s in Worst.
func (s State) rank() int { return slices.Index(Worst, s) }

// Patience is how long a copy may stand there without a run before it is said why that may be. A real canary-checker takes half a
// minute after its start.
const Patience = 2 * time.Minute

// state is how the agent is doing, and what more there is to say about that. It is not for agents that are shown as before.
func (a *Agent) state(p *Parent, r *Result, c *clock) (s State, text string) {
	out := a.out()
	switch {
	case a.Away.Reason != "":
		if s = Unreachable; a.Away.Reason == s.String() {
			return s, ""
		}
		return s, word(a.Away.Reason)
	case a.Unheard:
		return Pending, "nothing was heard from the member since fanout started"
	case !a.HasCopy && out.Reason == Waiting:
		return Pending, out.Detail
	case !a.HasCopy:
		return Missing, out.Detail
	case p.Paused:
		s = Paused
	case r.Outcome == Pending:
		s, text = Pending, a.whyPending(p, r, c)
	case c.isStale(r.since()):
		s, text = Stale, "canary-checker has not run it for three of its intervals; is it running there?"
	default:
		s, text = r.Outcome, r.text()
	}
	if out.Reason != "" && out.Detail != "" {
		text = out.Detail
	}
	return s, text
}

// whyPending is the likely reason why a copy was never run, empty while there is none but the time.
func (a *Agent) whyPending(p *Parent, r *Result, c *clock) string {
	switch {
	case p.Schedule.fault != "":
		return p.Schedule.fault
	case p.Schedule.times == nil:
		return "neither schedule nor interval says when to run it"
	}
	since := a.Created
	if since == 0 || r.Heard != 0 && r.Heard < since {
		since = r.Heard
	}
	if patient := since.Time().Add(Patience); patient.After(c.now) {
		c.wake(patient)
		return ""
	}
	switch {
	case !r.Seen:
		return "no canary-checker has taken it up; is one running there, and does it watch this namespace?"
	case !r.HasChecks:
		return "there are no checks in it"
	default:
		return "canary-checker has taken it up and not run it"
	}
}

// text is what a result displays.
func (r *Result) text() string {
	text := r.Message
	if o := r.Odd; o != nil {
		if o.LastCheck != "" {
			text = join("last check "+o.LastCheck, text)
		}
		text = join(o.Status, text)
	}
	return text
}

// join puts a colon between two texts, where both say something.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ": " + b
}
