package browser

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"

	"fanout/pkg/api"
)

// axe is where make puts axe-core.
const axe = "../../out/axe.min.js"

// finding is what axe-core has to say of a page.
type finding struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

func TestAccessibility(t *testing.T) {
	script, err := os.ReadFile(axe)
	if err != nil {
		t.Fatalf("%v; type: make test-browser", err)
	}
	source := sample()
	address := serve(t, source)
	views := []string{"/", "/?by=region", "/?by=region&columns=groups", "/?state=trouble", "/?agent=(%3D", "/?canary=nothing", "/canaries/search/dns", "/canaries/search/dns?by=region", "/agents/us-west-prod-1", "/agents/eu-north-prod-1", "/agents/nobody"}
	tab := Open(t, address, Desktop)
	tab.Expect("404")
	for _, screen := range []Screen{Desktop, {Width: 1440, Height: 900, Dark: true}, {Width: 390, Height: 800, Phone: true}} {
		tab.Look(screen)
		for _, view := range views {
			tab.Go(view)
			audit(tab, string(script), fmt.Sprintf("%s, %+v", view, screen))
		}
	}
	source.SetError(fmt.Errorf("%w: this process stands by", api.ErrNotKnown))
	tab.Expect("503")
	tab.Go("/canaries/platform/database")
	audit(tab, string(script), "a page of one that stands by")
}

// audit fails the test where anything in the page is seriously in somebody's way.
func audit(b *Tab, script, what string) {
	b.Helper()
	no := false
	command(b, runtime.Evaluate, runtime.EvaluateParams{Expression: script, ReturnByValue: &no})
	findings, err := eval[[]finding](b, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]}).then(r => r.violations)`)
	if err != nil {
		b.Fatalf("%s: %v", what, err)
	}
	for _, f := range findings {
		var where []string
		for _, node := range f.Nodes[:min(len(f.Nodes), 3)] {
			where = append(where, node.HTML+"\n      "+node.Summary)
		}
		text := fmt.Sprintf("%s: %s: %s: %s, at %d places\n    %s", what, f.Impact, f.ID, f.Help, len(f.Nodes), strings.Join(where, "\n    "))
		if f.Impact == "serious" || f.Impact == "critical" {
			b.Error(text)
		} else {
			b.Log(text)
		}
	}
}
