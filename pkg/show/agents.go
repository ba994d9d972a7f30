package show

import (
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/pkg/api"
)

// Agents shows agents, a line each.
func Agents(agents api.Agents) *View {
	v := &View{
		Kind: "Agent", WholeKind: "AgentList", Whole: agents, Empty: "No agents found.",
		Columns: []metav1.TableColumnDefinition{
			column("Name"), column("State"), column("Since"), column("Version"), column("Canaries"), column("In Sync"), column("Failing"), column("Credential"),
			wide("Out Of Sync"), wide("Takes From"), wide("Labels"), wide("Detail"),
		},
	}
	for _, a := range agents.Items {
		since := a.Since
		v.Rows = append(v.Rows, Row{
			Name: "agent/" + a.Name, Object: a,
			Cells: []any{
				text(a.Name), text(a.State), age(&since, agents.Teller.Time), text(a.ServerVersion),
				count(a.Selected), count(a.InSync), count(a.Failing), until(a.CredentialExpires, agents.Teller.Time),
				count(a.OutOfSync), text(strings.Join(a.Namespaces, ",")), text(Labels(a.Labels)), text(a.Detail),
			},
		})
	}
	return v
}

// Labels are labels in a line.
func Labels(labels map[string]string) string {
	pairs := make([]string, 0, len(labels))
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, key+"="+labels[key])
	}
	return strings.Join(pairs, ",")
}
