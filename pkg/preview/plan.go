package preview

import "fanout/pkg/api"

// Action is what would be done with one copy.
type Action string

// The actions. Of these the first three change something.
const (
	Create   Action = "create"
	Change   Action = "change"
	Prune    Action = "prune"
	None     Action = "none"     // it is as it would be asked for
	Refuse   Action = "refuse"   // the member, or fanout, does not take it
	Conflict Action = "conflict" // something that is not this hub's stands there
	Wait     Action = "wait"     // what stands there is being deleted
	Unknown  Action = "unknown"  // what stands there can't be known now
)

// Actions are all, in the order in which they are shown.
var Actions = []Action{Create, Change, Prune, Conflict, Refuse, Wait, Unknown, None}

// Plan is what would be done.
type Plan struct {
	Teller   api.Teller `json:"teller"`
	Canaries []Parent   `json:"canaries"`
}

// Parent is what would become of one parent's copies.
type Parent struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Fault is what is wrong with its agentSelector: its copies would stay as they are.
	Fault string `json:"fault,omitempty"`
	// Note is what else there is to say.
	Note   string `json:"note,omitempty"`
	Copies []Copy `json:"copies"`
}

// Copy is what would be done in one agent's member.
type Copy struct {
	Agent  string `json:"agent"`
	Action Action `json:"action"`
	// By is the entry that takes the agent in, or excludes it.
	By string `json:"by,omitempty"`
	// Reason is a word of docs/behaviour.md, where there is one, and Detail what there is to say.
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Diff are the lines that would change.
	Diff string `json:"diff,omitempty"`
}

// Changes tells whether anything would be changed, or that can't be ruled out.
func (p *Plan) Changes() bool {
	for i := range p.Canaries {
		for _, c := range p.Canaries[i].Copies {
			switch c.Action {
			case Create, Change, Prune, Wait, Unknown:
				return true
			}
		}
	}
	return false
}

// Count is how many of the parent's copies would be dealt with like that.
func (p *Parent) Count(action Action) (n int) {
	for i := range p.Copies {
		if p.Copies[i].Action == action {
			n++
		}
	}
	return n
}
