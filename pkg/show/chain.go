package show

import (
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/util/duration"

	"fanout/pkg/why"
)

// marks are how a step is marked, as fanout check does.
var marks = map[why.Mark]string{why.OK: "✓", why.Not: "✗", why.Unknown: "?"}

// Chain shows an explanation.
func Chain(chain why.Chain) *View {
	return &View{WholeKind: "Explanation", Whole: chain, Text: func(out io.Writer) {
		for _, step := range chain.Steps {
			about := text(step.About)
			if step.Reason != "" {
				about += " (" + text(step.Reason) + ")"
			}
			fmt.Fprintf(out, "%s %s: %s\n", marks[step.Mark], about, text(step.Text))
		}
		for _, said := range chain.Said {
			fmt.Fprintf(out, "  said %s ago, %s: %s\n", duration.HumanDuration(max(chain.Teller.Time.Sub(said.Time), 0)), text(said.Reason), text(said.Message))
		}
		if chain.Next != "" {
			fmt.Fprintf(out, "  next: %s\n", text(chain.Next))
		}
	}}
}
