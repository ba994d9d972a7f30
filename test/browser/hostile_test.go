package browser

import (
	"strings"
	"testing"

	"fanout/pkg/api"
)

// A status may hold anything. None of it runs, loads anything, or looks like a part of the page.
func TestHostileStatus(t *testing.T) {
	source := sample()
	text := `<script>window.owned = 1</script><img src="//elsewhere.example/x.png" onerror="window.owned = 2"></td></tr></table></main><h1>owned</h1><style>*{display:none}</style>` + "\u202e\x1b[31m" + strings.Repeat("A", 1<<20)
	evil := api.Canary{Namespace: "evil", Name: "evil", Selector: []string{text}, Fault: text, Schedule: text}
	source.AddAgent(api.Agent{Name: "evil", State: text, Detail: text, Secret: text, Labels: map[string]string{"evil": text, text: "x"}})
	evil.Copies = []api.Copy{{Agent: "evil", State: "Failed", Error: text, Text: text, Uptime: text, OutOfSync: &api.Condition{Reason: text, Detail: text}}}
	source.Add(evil)
	tab := Open(t, serve(t, source), Desktop)
	for _, path := range []string{"/", "/?by=evil", "/?by=evil&columns=groups", "/canaries/evil/evil", "/agents/evil"} {
		tab.Go(path)
		tab.Is("it is live", isLive)
		source.Fail("evil", "evil", "evil", text+path) // and by the stream
		tab.Is("it is one whole page", `document.querySelectorAll("h1").length === 1 && document.querySelectorAll("main").length === 1 && document.querySelector("footer").offsetHeight > 0`)
		tab.Is("nothing ran", `window.owned === undefined && document.scripts.length === 1 && document.images.length === 0 && document.querySelectorAll("style").length === 0`)
		tab.Is("nothing is wider than the page at "+path, `document.documentElement.scrollWidth <= innerWidth`)
		tab.Is("no direction is turned", `!/[\u202a-\u202e\u2066-\u2069\u001b]/.test(document.body.textContent)`)
	}
}
