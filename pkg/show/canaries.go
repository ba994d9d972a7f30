package show

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/pkg/api"
	"fanout/pkg/results"
)

// Canaries shows parents, a line each; with their namespaces where they may be of several.
func Canaries(canaries api.Canaries, namespaces bool) *View {
	v := &View{Kind: "Canary", WholeKind: "CanaryList", Whole: canaries, Empty: "No Canaries with an agentSelector found."}
	if namespaces {
		v.Columns = append(v.Columns, column("Namespace"))
	}
	v.Columns = append(v.Columns, canaryColumns()...)
	for _, c := range canaries.Items {
		var cells []any
		if namespaces {
			cells = append(cells, text(c.Namespace))
		}
		v.Rows = append(v.Rows, Row{Name: canaryName(&c), Object: c, Cells: append(cells, canaryCells(&c, canaries.Teller)...)})
	}
	return v
}

func canaryName(c *api.Canary) string { return "canary.canaries.flanksource.com/" + c.Name }

func canaryColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		column("Name"), column("Status"), column("Agents"), column("In Sync"), column("Failing"), column("Uptime"), column("Latency"), column("Last Check"),
		wide("Schedule"), wide("Selector"), wide("Message"),
	}
}

func canaryCells(c *api.Canary, teller api.Teller) []any {
	message := c.Message
	if c.Fault != "" {
		message = c.Fault
	}
	return []any{
		text(c.Name), text(c.State), count(c.Agents), count(c.InSync), count(c.States[results.Failed.String()] + c.States[results.Invalid.String()]),
		text(c.Uptime), text(c.Latency), age(c.LastCheck, teller.Time),
		text(c.Schedule), text(strings.Join(c.Selector, " ")), text(message),
	}
}
