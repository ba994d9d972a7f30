package why

import (
	"strings"

	"fanout/pkg/api"
)

// copied tells whether the member holds the copy as the parent asks.
func (e *explainer) copied() {
	c := e.copy()
	switch {
	case c == nil && e.agent != nil && e.agent.State == "Leaving":
		e.unknown("copy", "", "it is being removed, if it is there still", "")
	case c == nil:
		e.unknown("copy", "", "nothing is known of it", "ask where the controller can be: fanout check")
	case c.OutOfSync != nil:
		e.outOfSync(c.OutOfSync)
	case c.Away != nil:
		e.unknown("copy", "", "as it was when something was last heard of it", "")
	case c.InSync:
		e.inSync(e.Found)
	default:
		e.unknown("copy", "", "it is not known what the member holds", "")
	}
}

// inSync tells of a copy that is as the parent asks by what fanout remembers, and whether it is there now.
func (e *explainer) inSync(found *api.Found) {
	switch {
	case found == nil:
		e.ok("copy", "it is as the parent asks")
	case !found.Exists:
		e.unknown("copy", "", "it was as the parent asks, but was not there when it was looked for just now", e.filled("ask again: fanout puts it back"))
	case found.Terminating:
		e.because("copy", Unknown, "Terminating", strings.Join(found.Finalizers, ", "), nil)
	default:
		e.ok("copy", "it is as the parent asks, and was there when it was looked for just now")
	}
}

// leftover tells of a copy that the parent does not ask for, and why it is there all the same. What to do about that comes first.
func (e *explainer) leftover() {
	if e.Found == nil || e.Found.OutOfSync == nil || e.Found.Owner != e.Teller.Hub {
		return
	}
	e.chain.Next = ""
	e.outOfSync(e.Found.OutOfSync)
}

// outOfSync tells why a copy is not as the parent asks, or there though it does not ask for it.
func (e *explainer) outOfSync(c *api.Condition) {
	mark := Not
	if c.Reason == "Waiting" {
		mark = Unknown
	}
	e.because("copy", mark, c.Reason, c.Detail, c.Since)
}

// result tells how the check fares there.
func (e *explainer) result() {
	c := e.copy()
	if c == nil {
		return
	}
	text := strings.Join(nonEmpty(c.Error, c.Text), ": ")
	switch c.State {
	case "Passed":
		if e.when(c) != "" {
			text = strings.Join(nonEmpty(e.when(c), text), ": ")
		}
		e.ok("result", "%s", strings.Join(nonEmpty("it passes", text), ", "))
	case "Pending", "Paused":
		e.because("result", Unknown, c.State, text, nil)
	case "Missing":
		e.because("result", Unknown, c.State, "", nil)
	case "Unreachable":
		last := "nothing is known of it"
		if c.Before != "" {
			last = "it was " + c.Before + " when something was last heard of it"
		}
		e.unknown("result", "", strings.Join(nonEmpty(last, e.when(c)), ", "), "")
	default: // Failed, Invalid, Stale
		e.because("result", Not, c.State, strings.Join(nonEmpty(e.when(c), text), ": "), nil)
	}
}

// when is how long ago it was run last.
func (e *explainer) when(c *api.Copy) string {
	if c.LastCheck == nil {
		return ""
	}
	return "run " + e.ago(*c.LastCheck) + " ago"
}

func nonEmpty(texts ...string) []string {
	var kept []string
	for _, text := range texts {
		if text != "" {
			kept = append(kept, text)
		}
	}
	return kept
}
