package show

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/pkg/api"
	"fanout/pkg/selector"
)

// Matches are what a list of entries selects.
type Matches struct {
	Teller  api.Teller `json:"teller"`
	Entries []string   `json:"entries"`
	Items   []Match    `json:"items"`
}

// Match is what it makes of one agent.
type Match struct {
	Agent    string            `json:"agent"`
	Selected bool              `json:"selected"`
	By       string            `json:"by,omitempty"` // the entry that takes it in, or excludes it
	Labels   map[string]string `json:"labels,omitempty"`
}

// MatchesOf shows which agents the entries select, or with all what they make of each.
func MatchesOf(agents api.Agents, patterns []string, entries *selector.Explainer, all bool) *View {
	matches := Matches{Teller: agents.Teller, Entries: patterns}
	v := &View{
		Kind: "Match", WholeKind: "MatchList", Empty: "No agent matches.",
		Columns: []metav1.TableColumnDefinition{column("Agent"), column("Selected"), column("By"), wide("State"), wide("Labels")},
	}
	for _, agent := range agents.Items {
		if agent.State == "Leaving" {
			continue // no selector takes it in any more
		}
		reason := entries.Explain(agent.Name, agent.Labels)
		if !reason.Selected && !all {
			continue
		}
		m := Match{Agent: agent.Name, Selected: reason.Selected, By: reason.SelectedBy, Labels: agent.Labels}
		if !reason.Selected {
			m.By = reason.ExcludedBy
		}
		matches.Items = append(matches.Items, m)
		v.Rows = append(v.Rows, Row{Name: "agent/" + m.Agent, Object: m, Cells: []any{text(m.Agent), yes(m.Selected), text(m.By), text(agent.State), text(Labels(m.Labels))}})
	}
	v.Whole = matches
	return v
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
