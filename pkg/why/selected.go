package why

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fanout/pkg/selector"
)

// selector tells whether the list parses.
func (e *explainer) selector() bool {
	if e.Canary.Fault == "" {
		return true
	}
	e.because("selector", Not, "InvalidAgentSelector", e.Canary.Fault, nil)
	return false
}

// registered tells whether there is an agent of that name.
func (e *explainer) registered() bool {
	switch {
	case e.Agent == selector.Local:
		e.ok("agent", "local is the hub itself")
	case e.agent == nil:
		text := fmt.Sprintf("no Secret registers an agent %q", e.Agent)
		if names := e.like(); names != "" {
			text += "; there are " + names
		}
		e.not("agent", "", text, e.filled("register it: fanout register AGENT --member-context CONTEXT; or see which there are: fanout agents"))
		return false
	case e.agent.Secret != "":
		e.ok("agent", "it is registered by the Secret %s", e.agent.Secret)
	default:
		e.ok("agent", "it is known")
	}
	return true
}

// like are a few agents' names, those first that begin alike.
func (e *explainer) like() string {
	const few = 5
	var names []string
	for _, agent := range e.Agents {
		names = append(names, agent.Name)
	}
	slices.SortStableFunc(names, func(a, b string) int { return common(b, e.Agent) - common(a, e.Agent) })
	if len(names) > few {
		names = append(names[:few], "…")
	}
	return strings.Join(names, ", ")
}

func common(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// selected tells which entry takes the agent in, or excludes it.
func (e *explainer) selected() bool {
	entries, err := selector.NewExplainer(e.Canary.Selector)
	if err != nil {
		e.because("selector", Not, "InvalidAgentSelector", err.Error(), nil)
		return false
	}
	var labels map[string]string
	if e.agent != nil {
		labels = e.agent.Labels
	}
	reason := entries.Explain(e.Agent, labels)
	switch {
	case reason.Selected && reason.SelectedBy != "":
		e.ok("selector", "the entry %q takes it in", reason.SelectedBy)
	case reason.Selected:
		e.ok("selector", "none of the exclusions is about it, and there is nothing else in the list")
	case reason.ExcludedBy == "" && e.agent != nil && e.agent.State == "Connecting" && len(labels) == 0:
		e.unknown("selector", "", "no entry takes its name in, and its labels are not known yet", "")
		return true
	case e.copy() != nil:
		e.ok("selector", "it is selected, though its labels are not known here")
		return true
	case reason.ExcludedBy != "":
		e.not("selector", "", fmt.Sprintf("the entry %q excludes it, and an exclusion wins wherever it stands", reason.ExcludedBy),
			e.filled("take the entry out of the parent's agentSelector, if the agent is to have a copy: kubectl edit canary -n SPACE PARENT"))
	case e.Agent == selector.Local:
		e.not("selector", "", "no entry is local, and nothing but that word selects the hub", e.filled("add local to the parent's agentSelector: kubectl edit canary -n SPACE PARENT"))
	default:
		e.not("selector", "", "no entry takes it in"+labelled(labels), e.filled("add an entry to the parent's agentSelector, and try it out before: fanout match ENTRY"))
	}
	return reason.Selected
}

func labelled(labels map[string]string) string {
	if len(labels) == 0 {
		return "; it has no labels"
	}
	pairs := make([]string, 0, len(labels))
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, key+"="+labels[key])
	}
	return "; its labels are " + strings.Join(pairs, ", ")
}
