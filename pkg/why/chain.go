package why

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"fanout/pkg/api"
)

// Mark is how one step went.
type Mark string

// A step is OK, or is Not; or that is Unknown.
const (
	OK      Mark = "ok"
	Not     Mark = "not ok"
	Unknown Mark = "unknown"
)

// Chain explains.
type Chain struct {
	Teller api.Teller `json:"teller"`
	// Namespace and Name are the parent's.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Agent     string `json:"agent"`
	Steps     []Step `json:"steps"`
	// Said is what fanout has said of the agent or the parent lately, the latest first.
	Said []Said `json:"said,omitempty"`
	// Next is what to do, empty where there is nothing.
	Next string `json:"next,omitempty"`
}

// Step is one link of the chain.
type Step struct {
	// About is a word: parent, selector, agent, tenancy, health, credential, copy, result.
	About string `json:"about"`
	Mark  Mark   `json:"mark"`
	// Reason is one word, where docs/behaviour.md has one.
	Reason string `json:"reason,omitempty"`
	Text   string `json:"text"`
}

// Said is an Event of fanout's.
type Said struct {
	Reason  string    `json:"reason"`
	Time    time.Time `json:"time"`
	Message string    `json:"message"`
}

// Asked is what the explanation is made of.
type Asked struct {
	Namespace, Name, Agent string
	// SecretsIn is the namespace of the Secrets that register agents.
	SecretsIn string
	// Canary is the parent, nil where there is none, and Absent says why.
	Canary *api.Canary
	Absent string
	// Agents are all that are known.
	Agents []api.Agent
	// Found is what stands in the copy's place, nil where that could not be found out.
	Found *api.Found
	Said  []Said
	// Teller told all of that.
	Teller api.Teller
}

// Explain makes the chain.
func Explain(a Asked) Chain {
	e := &explainer{Asked: a, chain: Chain{Teller: a.Teller, Namespace: a.Namespace, Name: a.Name, Agent: a.Agent, Said: a.Said}}
	for i := range a.Agents {
		if a.Agents[i].Name == a.Agent {
			e.agent = &a.Agents[i]
		}
	}
	e.explain()
	// What a step says already is not said twice.
	e.chain.Said = slices.DeleteFunc(e.chain.Said, func(s Said) bool {
		return slices.ContainsFunc(e.chain.Steps, func(step Step) bool { return step.Reason == s.Reason })
	})
	return e.chain
}

type explainer struct {
	Asked
	agent *api.Agent // nil where it is not registered
	chain Chain
	weak  string // what to do about what is not known
}

// explain goes on for as long as the next step means anything.
func (e *explainer) explain() {
	defer func() {
		if e.chain.Next == "" {
			e.chain.Next = e.weak
		}
	}()
	switch {
	case !e.parent():
		e.leftover()
	case !e.selector(), !e.registered():
	case !e.selected():
		e.leftover()
	default:
		e.tenancy()
		e.health()
		e.credential()
		e.copied()
		e.result()
	}
}

func (e *explainer) ok(about, format string, args ...any) {
	e.chain.Steps = append(e.chain.Steps, Step{About: about, Mark: OK, Text: fmt.Sprintf(format, args...)})
}

// not adds a step that is not as it should be. The first of them says what to do.
func (e *explainer) not(about, reason, text, next string) {
	e.chain.Steps = append(e.chain.Steps, Step{About: about, Mark: Not, Reason: reason, Text: text})
	if e.chain.Next == "" {
		e.chain.Next = next
	}
}

func (e *explainer) unknown(about, reason, text, next string) {
	e.chain.Steps = append(e.chain.Steps, Step{About: about, Mark: Unknown, Reason: reason, Text: text})
	if e.weak == "" {
		e.weak = next
	}
}

// because adds a step for a reason, with its sentence and what to do.
func (e *explainer) because(about string, mark Mark, reason, detail string, since *time.Time) {
	known := reasons[reason]
	text := known.text
	if text == "" {
		text = reason
	}
	if since != nil && !since.IsZero() {
		text += " (for " + duration.HumanDuration(max(e.Teller.Time.Sub(*since), 0)) + ")"
	}
	if detail != "" {
		text += ": " + detail
	}
	next := e.filled(known.next)
	if mark == Not {
		e.not(about, reason, text, next)
		return
	}
	e.unknown(about, reason, text, next)
}

// filled puts names into a next step.
func (e *explainer) filled(next string) string {
	secret, place := e.Agent, e.place()
	if e.agent != nil && e.agent.Secret != "" {
		secret = e.agent.Secret
	}
	return strings.NewReplacer("AGENT", e.Agent, "SECRET", secret, "HOME", e.SecretsIn, "PARENT", e.Name, "SPACE", e.Namespace, "COPY", place).Replace(next)
}

// place is the name of the copy.
func (e *explainer) place() string {
	if c := e.copy(); c != nil {
		return c.Name
	}
	return e.Name
}

// copy is the parent's copy on the agent, nil where none is known.
func (e *explainer) copy() *api.Copy {
	if e.Canary == nil {
		return nil
	}
	for i := range e.Canary.Copies {
		if e.Canary.Copies[i].Agent == e.Agent {
			return &e.Canary.Copies[i]
		}
	}
	return nil
}

func (e *explainer) parent() bool {
	if e.Canary == nil {
		e.not("parent", "", e.Absent, e.filled("see which parents there are: fanout get -n SPACE"))
		return false
	}
	e.ok("parent", "%s/%s has an agentSelector: %s", e.Namespace, e.Name, strings.Join(e.Canary.Selector, "  "))
	return true
}
