package show

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/pkg/api"
	"fanout/pkg/results"
)

// Copies shows one parent, and a line per agent that it selects.
func Copies(one api.OneCanary) *View {
	above := Canaries(api.Canaries{Teller: one.Teller, Items: []api.Canary{one.Canary}}, true)
	v := &View{
		Kind: "Copy", WholeKind: "Canary", Whole: one, Above: above, Empty: "It selects none of the agents that were asked for.",
		Columns: []metav1.TableColumnDefinition{
			column("Agent"), column("Status"), column("In Sync"), column("Uptime"), column("Latency"), column("Last Check"), column("Known"), column("Error"),
			wide("Selected By"), wide("Since"), wide("Text"),
		},
	}
	for _, c := range one.Canary.Copies {
		v.Rows = append(v.Rows, Row{
			Name: "agent/" + c.Agent, Object: c,
			Cells: []any{
				text(c.Agent), text(status(&c)), text(inSync(&c)), text(c.Uptime), text(c.Latency), age(c.LastCheck, one.Teller.Time), age(c.Heard, one.Teller.Time), text(trouble(&c)),
				text(c.SelectedBy), age(c.LastTransition, one.Teller.Time), text(c.Text),
			},
		})
	}
	return v
}

// status is the copy's state, with the last one that is known where that is another.
func status(c *api.Copy) string {
	if c.Before != "" && c.Before != c.State && c.Before != results.Pending.String() {
		return c.State + " (" + c.Before + " before)"
	}
	return c.State
}

// inSync says whether the copy is as its parent asks, or why not.
func inSync(c *api.Copy) string {
	switch {
	case c.OutOfSync != nil:
		return "no: " + c.OutOfSync.Reason
	case c.InSync:
		return "yes"
	default:
		return "unknown"
	}
}

// trouble is what is wrong, in the words of whoever found it.
func trouble(c *api.Copy) string {
	switch {
	case c.Error != "":
		return c.Error
	case c.Away != nil && c.Away.Detail != "":
		return c.Away.Detail
	case c.OutOfSync != nil && c.OutOfSync.Detail != "":
		return c.OutOfSync.Detail
	case c.State != results.Passed.String():
		return c.Text
	default:
		return ""
	}
}
