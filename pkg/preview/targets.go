package preview

import (
	"fmt"

	"fanout/pkg/api"
	"fanout/pkg/selector"
)

// Target is one agent that a parent is about, before or after.
type Target struct {
	Copy
	// Selected says that it is to hold a copy.
	Selected bool
	// Look says that what is done hangs on what stands there. Where it is not set, the Action is decided already.
	Look bool
}

// Before tells whether an agent is known to have been selected before.
type Before func(agent string) bool

// Targets are the agents that a parent in namespace concerns with those entries, in the order of their names.
func Targets(namespace string, entries *selector.Explainer, agents []api.Agent, before Before) []Target {
	var targets []Target
	for i := range agents {
		agent := &agents[i]
		reason := entries.Explain(agent.Name, agent.Labels)
		if !reason.Selected && !before(agent.Name) {
			continue
		}
		t := Target{Selected: reason.Selected, Copy: Copy{Agent: agent.Name, By: reason.SelectedBy}}
		if !t.Selected {
			t.By = reason.ExcludedBy
		}
		t.judge(namespace, agent)
		targets = append(targets, t)
	}
	return targets
}

// judge decides what hangs on the agent alone.
func (t *Target) judge(namespace string, agent *api.Agent) {
	if t.Selected && !allows(agent, namespace) {
		t.Action, t.Reason = Refuse, "NamespaceNotAllowed"
		t.Detail = fmt.Sprintf("the member takes no Canaries from %s", namespace)
		return
	}
	switch agent.State {
	case "Connected":
		t.Look = true
	case "Refused", "Leaving":
		t.Action, t.Reason, t.Detail = Refuse, agent.State, agent.Detail
	case New:
		t.Action, t.Detail = Create, "unless something stands there already, which only the controller can find out"
	default:
		t.Action, t.Reason, t.Detail = Unknown, agent.State, "it can't be asked now; it is brought up to date when it can"
	}
}

// New is the State of an agent that is not registered yet.
const New = "New"

// allows tells whether the agent takes Canaries from that namespace.
func allows(agent *api.Agent, namespace string) bool {
	if len(agent.Namespaces) == 0 {
		return true
	}
	text := ""
	for i, pattern := range agent.Namespaces {
		if i > 0 {
			text += ","
		}
		text += pattern
	}
	allowed, err := selector.ParseNamespaces(text)
	return err == nil && allowed.Matches(namespace)
}
