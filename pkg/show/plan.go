package show

import (
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"

	"fanout/pkg/preview"
)

// Plan shows what would be done.
func Plan(plan preview.Plan) *View {
	v := &View{
		Kind: "Change", WholeKind: "Preview", Whole: plan,
		Columns: []metav1.TableColumnDefinition{column("Action"), column("Agent"), column("By"), column("Reason"), column("Detail")},
		Text:    func(out io.Writer) { planText(out, plan) },
	}
	for _, parent := range plan.Canaries {
		for _, c := range parent.Copies {
			if c.Action != preview.None {
				v.Rows = append(v.Rows, Row{Name: "agent/" + c.Agent, Object: c})
			}
		}
	}
	return v
}

func planText(out io.Writer, plan preview.Plan) {
	for i := range plan.Canaries {
		if i > 0 {
			fmt.Fprintln(out)
		}
		parent := &plan.Canaries[i]
		fmt.Fprintf(out, "%s/%s: %s\n", text(parent.Namespace), text(parent.Name), summary(parent))
		if parent.Fault != "" {
			fmt.Fprintf(out, "  agentSelector does not parse, so the copies would stay as they are: %s\n", text(parent.Fault))
		}
		if parent.Note != "" {
			fmt.Fprintf(out, "  %s\n", text(parent.Note))
		}
		changes(out, parent)
		diffs(out, parent)
	}
}

// summary counts.
func summary(parent *preview.Parent) string {
	var parts []string
	for _, action := range preview.Actions {
		if n := parent.Count(action); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, words[action]))
		}
	}
	if len(parts) == 0 {
		return "no agent is concerned"
	}
	return strings.Join(parts, ", ")
}

var words = map[preview.Action]string{
	preview.Create: "to create", preview.Change: "to change", preview.Prune: "to prune", preview.Conflict: "in conflict",
	preview.Refuse: "refused", preview.Wait: "to wait for", preview.Unknown: "unknown", preview.None: "unchanged",
}

func changes(out io.Writer, parent *preview.Parent) {
	w := printers.GetNewTabWriter(out)
	defer w.Flush()
	for _, action := range preview.Actions {
		for _, c := range parent.Copies {
			if c.Action != action || action == preview.None {
				continue
			}
			detail := c.Detail
			if c.Reason != "" {
				detail = strings.TrimSuffix(c.Reason+": "+c.Detail, ": ")
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", action, text(c.Agent), text(c.By), text(detail))
		}
	}
}

// diffs shows each diff once, with the agents that it is of.
func diffs(out io.Writer, parent *preview.Parent) {
	var order []string
	agents := map[string][]string{}
	for _, c := range parent.Copies {
		if c.Diff == "" {
			continue
		}
		if agents[c.Diff] == nil {
			order = append(order, c.Diff)
		}
		agents[c.Diff] = append(agents[c.Diff], c.Agent)
	}
	for _, diff := range order {
		fmt.Fprintf(out, "  on %s:\n", text(strings.Join(agents[diff], ", ")))
		for line := range strings.Lines(diff) {
			fmt.Fprint(out, "    "+line)
		}
	}
}
