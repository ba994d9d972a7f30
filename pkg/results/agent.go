package results

import (
	"strings"
	"time"
)

// Agent is what is known of one agent that a parent selects, and of its copy there.
type Agent struct {
	Name string
	// HasCopy says that the member holds the copy, which Created tells the age of, by the member's clock.
	HasCopy bool
	Created Stamp
	// Result is what the copy said last.
	Result Result
	// Out says why what stands in the member is not what the parent asks for. Zero where it is.
	Out Condition
	// Away says why the member can't be reached: then all of the above is what was last known. Zero where it can.
	Away Condition
	// Unheard says that nothing was heard from the member yet: fanout has just started, or has just taken it over.
	Unheard bool
	// Before is the agent's entry in the parent's status when that was so (ReadEntries), nil where it had none. It
	// serves as long as nothing better is known.
	Before *Entry
}

// Condition is something that is not as it should be; the zero Condition is that all is well.
type Condition struct {
	// Reason is one word, as Events have it: Conflict, CanaryCRDMissing, Waiting; Unreachable, Unauthorized.
	Reason string
	// Detail is what happened and what to do. Of a member that is away it is in no status: each attempt to reach it may fail with other
	// words, and all of its parents would be written again.
	Detail string
	// Since is when fanout noticed. It is in no status, since a fanout that starts again notices again.
	Since Stamp
}

// NewCondition returns a condition, its detail shortened to what a status shows of it. It holds on to nothing of detail.
func NewCondition(reason, detail string, since time.Time) Condition {
	return Condition{Reason: word(reason), Detail: strings.Clone(clip(detail, maxDetail)), Since: StampOf(since)}
}

// bounded is the condition as NewCondition makes it, wherever it came from.
func (c Condition) bounded() Condition {
	return Condition{Reason: word(c.Reason), Detail: clip(c.Detail, maxDetail), Since: c.Since}
}

// Waiting is the Reason of what fanout is about to write.
const Waiting = "Waiting"

// isRecalled tells whether what is known of the copy is what the parent's status said before.
func (a *Agent) isRecalled() bool {
	return a.Before != nil && a.Result.Heard == 0 && (a.Unheard || a.Away.Reason != "")
}

// result is what the copy said last.
func (a *Agent) result() Result {
	if a.isRecalled() {
		return a.Before.result()
	}
	return a.Result
}

// out is why the agent is out of sync as far as that is known.
func (a *Agent) out() Condition {
	switch {
	case a.Out.Reason != "":
		return a.Out
	case a.isRecalled():
		head, _ := a.Before.head()
		return Condition{Reason: head.out}
	case !a.HasCopy && a.Away.Reason == "" && !a.Unheard:
		return Condition{Reason: Waiting}
	default:
		return Condition{}
	}
}
