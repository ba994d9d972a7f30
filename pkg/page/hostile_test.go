package page

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"fanout/pkg/api"
	"fanout/pkg/page/pagetest"
)

// nasty are texts that would do harm where they are not shown as text.
var nasty = []string{
	`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`, `' onmouseover='alert(1)`, `</td></table><h1>owned</h1>`, `{{.}}`,
	`javascript:alert(1)`, "data: x\n\nevent: page\ndata: <b>owned</b>", "\u202egnp.exe", "a\u2066b\u2069c\u200f\u200b\ufeff", "\x1b[31mred\x1b[0m\x00\x07\x9b", "line\r\nbreak\u2028\u2029", "\xff\xfe bad",
	strings.Repeat("A", 1<<20), strings.Repeat("<b>", 1<<18), strings.Repeat("é\u202e", 1<<18), "💣" + strings.Repeat("\u0301", 4096),
}

// longNames is a sample in which everything has the longest name there may be.
func longNames(agents, canaries int) *pagetest.Sample {
	s := sample(0, 0)
	pad := func(name string, limit int) string { return name + strings.Repeat("x", limit-len(name)) }
	var all []api.Agent
	for i := range agents {
		all = append(all, api.Agent{Name: pad(fmt.Sprint("agent-", i, "-"), 253), State: "Unreachable", Labels: map[string]string{"region": pad(fmt.Sprint("r", i%9, "-"), 63), "tier": pad("t", 63)}})
	}
	var parents []api.Canary
	for i := range canaries {
		c := api.Canary{Namespace: pad(fmt.Sprint("namespace-", i), 63), Name: pad(fmt.Sprint("canary-", i, "-"), 253), Selector: []string{"*"}}
		for j := range agents {
			c.Copies = append(c.Copies, api.Copy{Agent: pad(fmt.Sprint("agent-", j, "-"), 253), State: []string{"Failed", "Passed"}[(i+j)%2], OutOfSync: &api.Condition{Reason: "Conflict"}})
		}
		parents = append(parents, c)
	}
	s.AddAgent(all...)
	s.Add(parents...)
	return s
}

// A member, a tenant or a label may say anything: it is shown as text, and is short.
func TestHostileTextsAreShownAsText(t *testing.T) {
	source := sample(2, 1)
	evil := api.Canary{Namespace: "evil", Name: "evil", Selector: nasty, Fault: nasty[0], Schedule: nasty[2], Message: nasty[1]}
	for i, text := range nasty {
		source.AddAgent(api.Agent{
			Name: fmt.Sprint("agent-", i), Secret: text, State: text, Detail: text, ServerVersion: text, Namespaces: []string{text}, Labels: map[string]string{"region": text, text: text},
			Events: []api.Event{{Reason: text, Message: text, Warning: true}},
		})
		condition := &api.Condition{Reason: text, Detail: text}
		evil.Copies = append(evil.Copies, api.Copy{
			Agent: fmt.Sprint("agent-", i), State: []string{"Failed", text}[i%2], Text: text, Error: text, Before: text, SelectedBy: text, OutOfSync: condition, Away: condition, Uptime: text, Latency: text,
		})
	}
	source.AddAgent(api.Agent{Name: nasty[0], State: "Connected"})
	evil.Copies = append(evil.Copies, api.Copy{Agent: nasty[0], State: "Failed", Error: nasty[1]})
	source.Add(evil)
	source.Add(api.Canary{Namespace: nasty[2], Name: nasty[3], Copies: []api.Copy{{Agent: nasty[0], State: "Failed"}}})
	_, address := serve(t, source)
	paths := []string{
		"/", "/?by=region", "/?by=region&columns=groups", "/canaries/evil/evil?by=region", "/agents/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
		"/?canary=%3Cscript%3Ealert(1)%3C/script%3E", "/?agent=%3Cscript%3E%3Dalert(1)", "/?by=%22%3E%3Csvg%20onload%3Dalert(1)%3E", "/canaries/%3Cscript%3E/x", "/agents/%E2%80%AE",
		"/?state=%3Cscript%3E&row=-5&column=99999999999999999999&sort=%00",
	}
	for i := range nasty {
		paths = append(paths, fmt.Sprint("/agents/agent-", i))
	}
	for _, path := range paths {
		_, body := get(t, address+path)
		isHarmless(t, path, body)
		stream := open(t, address+"/events"+path)
		e := stream.until(t, "the page", func(event) bool { return true })
		stream.cancel()
		if e.kind != "page" {
			t.Errorf("%s: the stream brings an event that was made up: %q", path, e.kind)
		}
		isHarmless(t, "/events"+path, e.data)
	}
	_, body := get(t, address+"/canaries/evil/evil")
	shows(t, body, "&lt;script&gt;alert(1)&lt;/script&gt;", "…")
}

func isHarmless(t *testing.T, path, body string) {
	t.Helper()
	if len(body) > 300_000 {
		t.Errorf("%s has %d bytes", path, len(body))
	}
	for _, markup := range []string{"<script>", "<img", "<svg onload", "<h1>owned", "<b>owned", `href="javascript`, "onmouseover='", "<b><b>"} {
		if strings.Contains(body, markup) {
			t.Errorf("%s holds %s", path, markup)
		}
	}
	for i, r := range body {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%s holds %U after %q", path, r, body[max(0, i-40):i])
		}
	}
}
