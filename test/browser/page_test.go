package browser

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"k8s.io/utils/clock"

	"fanout/pkg/page/pagetest"
)

const (
	isLive  = `document.querySelector("#live").dataset.live === "on"`
	rows    = `[...document.querySelectorAll(".matrix tbody tr")]`
	rowName = `.cells[0].innerText.replace(/\s/g, "")`
)

func sample() *pagetest.Sample { return pagetest.New(48, 20, time.Now) }

// cellAt is the cell of a Canary on an agent, as an expression.
func cellAt(canary, agent string) string {
	return fmt.Sprintf(`(() => {
		const table = document.querySelector(".matrix"), names = [...table.tHead.rows].at(-1).cells;
		const column = [...names].findIndex(c => c.querySelector("a span")?.textContent === %q);
		return [...table.tBodies[0].rows].find(r => r%s === %q)?.cells[column];
	})()`, agent, rowName, canary)
}

func TestMatrix(t *testing.T) {
	tab := Open(t, serve(t, sample()), Desktop)
	tab.Go("/?by=region")
	tab.Is("each Canary has a row", rows+".length === 20")
	tab.Is("each agent has a column", `document.querySelectorAll(".matrix .names th").length === 50`)
	tab.Is("groups have a head", `[...document.querySelectorAll(".matrix .groups a")].some(a => a.textContent === "us-west")`)
	tab.Is("what fails is first", rows+`[0].querySelector("td.s-failed")`)
	tab.Is("a cell says in words what it is", cellAt("search/dns", "us-west-prod-1")+`.querySelector("b").textContent === "Failed"`)
	tab.Is("it is live", isLive)
	tab.Is("the title says it, too", `document.title.includes("fail")`)
	tab.Do("follow a chip", chromedp.Click(chromedp.CSS(".chip.s-failed")))
	tab.Is("all rows fail somewhere", rows+`.length > 0 && `+rows+`.every(r => r.querySelector("td.s-failed"))`)
	tab.Is("the address says so", `location.search.includes("state=failed") && location.search.includes("by=region")`)
	tab.Go("/?by=region&columns=groups")
	tab.Is("a column is a group", `document.querySelectorAll(".matrix .names th").length === 10`)
	tab.Do("follow a cell", chromedp.Click(chromedp.CSS(".matrix tbody td.s-failed")))
	tab.Is("it leads to the Canary with that group alone", `location.pathname.startsWith("/canaries/") && location.search.startsWith("?agent=region%3D")`)
}

func TestFilterWhileTyping(t *testing.T) {
	tab := Open(t, serve(t, sample()), Desktop)
	tab.Go("/")
	tab.Is("it is live", isLive)
	tab.Do("type", chromedp.SendKeys(chromedp.CSS("#f-canary"), "payments"))
	all := rows + `.length > 0 && ` + rows + `.every(r => r` + rowName + `.startsWith("payments/"))`
	tab.Is("other Canaries are gone", all)
	tab.Is("the address holds it", `location.search === "?canary=payments"`)
	tab.Is("what was typed stays, and the focus", `document.activeElement.id === "f-canary" && document.activeElement.value === "payments"`)
	tab.Do("load the address again", chromedp.Reload())
	tab.Is("the same view", all)
	tab.Do("type", chromedp.SendKeys(chromedp.CSS("#f-agent"), "region=eu-west"))
	tab.Is("other agents are gone", `[...document.querySelectorAll(".matrix .names th a")].every(a => a.innerText.startsWith("eu-west-"))`)
	tab.Go("/?agent=region%3D(")
	tab.Is("what is no selector is said", `document.querySelector("[role=alert]").textContent.includes("no label selector")`)
}

func TestAFailingAgentAppearsLive(t *testing.T) {
	source := sample()
	tab := Open(t, serve(t, source), Desktop)
	tab.Go("/?sort=name&canary=payments")
	tab.Is("it is live", isLive)
	cell := cellAt("payments/api-health", "eu-west-prod-2")
	tab.Is("it passes", cell+`.className === "s-passed"`)
	tab.Is("the cell is marked, focused, and the table is moved", `(window.kept = `+cell+`, kept.tabIndex = 0, kept.focus(), document.querySelector(".scroll").scrollLeft = 70, true)`)
	source.Fail("payments", "api-health", "eu-west-prod-2", "broken")
	tab.Is("it fails", cell+`.className === "s-failed"`)
	tab.Is("it is the same page, with the same cell", cell+` === window.kept`)
	tab.Is("the reader is where he was", `document.activeElement === window.kept && document.querySelector(".scroll").scrollLeft > 0`)
	tab.Go("/canaries/payments/api-health")
	tab.Is("its page has the error", `document.querySelector(".errors").innerText.includes("broken")`)
	tab.Is("it is live", isLive)
	source.Fail("payments", "api-health", "eu-west-prod-1", "broken, too")
	tab.Is("and another one", `document.querySelector(".errors").innerText.includes("broken, too")`)
}

// Beyond loopback streams end now and then, for the rights of whoever looks to be asked for again.
func TestAStreamThatEndsComesBack(t *testing.T) {
	source, ended := sample(), make(chan struct{}, 100)
	tab := Open(t, serveThrough(t, source, clock.RealClock{}, func(pages http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/events/") {
				ctx, cancel := context.WithTimeout(r.Context(), time.Second)
				defer cancel()
				defer func() { ended <- struct{}{} }()
				r = r.WithContext(ctx)
			}
			pages.ServeHTTP(w, r)
		})
	}), Desktop)
	tab.Go("/?sort=name&canary=payments")
	tab.Is("it is live", isLive)
	<-ended
	source.Fail("payments", "api-health", "eu-west-prod-2", "broken")
	tab.Is("what changed meanwhile comes", cellAt("payments/api-health", "eu-west-prod-2")+`.className === "s-failed"`)
	tab.Is("it is live", isLive)
}

func TestDetailPages(t *testing.T) {
	tab := Open(t, serve(t, sample()), Desktop)
	tab.Go("/")
	tab.Do("go to a Canary", chromedp.Click(chromedp.CSS(`.matrix tbody th a[href="/canaries/search/dns"]`)))
	tab.Is("its page", `document.querySelector("h1").innerText.startsWith("dns")`)
	for what, expression := range map[string]string{
		"errors with their agents": `document.querySelectorAll(".errors li .who a").length > 0`,
		"a selector, explained":    `document.querySelector(".entries").innerText.includes("takes in") && document.querySelector(".entries").innerText.includes("keeps out")`,
		"a chart":                  `document.querySelectorAll(".chart svg.strip").length > 1`,
		"transitions":              `document.querySelectorAll(".changes li").length > 1`,
		"each agent":               `document.querySelectorAll(".list tbody tr").length > 5`,
		"commands":                 `document.querySelector(".commands").innerText.includes("kubectl get canary dns -n search -o yaml")`,
	} {
		tab.Is(what, expression)
	}
	tab.Do("go to an agent", chromedp.Click(chromedp.CSS(".list tbody th a")))
	tab.Is("its page", `location.pathname.startsWith("/agents/") && document.querySelector(".commands")`)
	text := tab.Text("main")
	for _, part := range []string{"Connected", "Credential ends", "region=", "v1.", "What runs there", "kubectl --context"} {
		if !strings.Contains(text, part) {
			t.Errorf("the agent's page does not say %q", part)
		}
	}
	tab.Expect("404")
	tab.Go("/agents/nobody")
	tab.Is("nobody is said not to be there", `document.querySelector("h1").innerText === "Not found"`)
}

func TestKeyboardOnly(t *testing.T) {
	tab := Open(t, serve(t, sample()), Desktop)
	tab.Go("/")
	tab.Is("it is live", isLive)
	tab.Press(kb.Tab)
	tab.Is("the first stop skips what is the same on each page", `document.activeElement.className === "skip"`)
	tab.Press(kb.Enter, kb.Tab)
	tab.Is("the next one is in the content", `document.querySelector("main").contains(document.activeElement)`)
	isCell := `document.activeElement.nodeName === "TD"`
	for i := 0; ; i++ {
		in, err := eval[bool](tab, isCell)
		if err != nil {
			t.Fatal(err)
		}
		if in {
			break
		}
		if i > 120 {
			t.Fatal("no tab leads to a cell")
		}
		tab.Press(kb.Tab)
		tab.Is("each stop can be seen", `document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== "none"`)
	}
	tab.Is("one cell of all is a stop", `document.querySelectorAll(".matrix td[tabindex]").length === 1`)
	tab.Press(kb.ArrowRight, kb.ArrowRight, kb.ArrowDown)
	tab.Is("arrows lead on", isCell+` && document.activeElement.cellIndex === 4 && document.activeElement.parentNode.rowIndex === 2`)
	tab.Is("what it is can be read", `document.querySelector("#told").textContent.includes(" on ")`)
	tab.Press(kb.End, kb.ArrowRight, kb.Home, kb.ArrowLeft, kb.ArrowUp, kb.ArrowUp)
	tab.Is("and not out of the table", isCell+` && document.activeElement.cellIndex === 2 && document.activeElement.parentNode.rowIndex === 1`)
	tab.Press(kb.Enter)
	tab.Is("Enter leads to the Canary on that agent", `location.pathname.startsWith("/canaries/") && location.search.startsWith("?agent=") && document.querySelectorAll(".list tbody tr").length >= 1`)
}

func TestWithoutScript(t *testing.T) {
	tab := Open(t, serve(t, pagetest.New(200, 60, time.Now)), Desktop)
	tab.Script(false)
	tab.Go("/")
	tab.Is("it is whole", rows+".length === 30")
	tab.Is("it says how old it is", `document.querySelector("header").innerText.includes("As of")`)
	tab.Do("type", chromedp.SendKeys(chromedp.CSS("#f-canary"), "payments"))
	tab.Do("ask for it", chromedp.Click(chromedp.CSS(".filter button")))
	tab.Is("other Canaries are gone", rows+`.length > 0 && `+rows+`.every(r => r`+rowName+`.startsWith("payments/"))`)
	tab.Do("go to the next agents", chromedp.Click(chromedp.CSS(`.pager a[rel=next]`)))
	tab.Is("the next page", `document.querySelector(".pager").innerText.includes("61–120 of 200 agents")`)
	tab.Do("go to a Canary", chromedp.Click(chromedp.CSS(`.matrix tbody th a`)))
	tab.Is("its page", `document.querySelectorAll(".list tbody tr").length > 5`)
}

// How long it takes depends on the machine, so it is reported and not held to anything.
func TestAThousandAgents(t *testing.T) {
	tab := Open(t, serve(t, pagetest.New(1000, 100, time.Now)), Desktop)
	for _, path := range []string{"/", "/?by=region", "/?by=region&columns=groups", "/?state=trouble", "/canaries/search/dns?by=region"} {
		tab.Go(path)
		tab.Is("there are rows", `document.querySelectorAll("tbody tr").length > 0`)
		tab.Is("it is live", isLive)
		took, err := eval[map[string]float64](tab, `(() => {
			const [page] = performance.getEntriesByType("navigation");
			return { bytes: page.transferSize, first: page.responseStart, row: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0, interactive: page.domContentLoadedEventEnd };
		})()`)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("100 Canaries × 1,000 agents, %-35s first byte %4.0f ms, first row %4.0f ms, interactive %4.0f ms, %4.0f KiB\n", path+":", took["first"], took["row"], took["interactive"], took["bytes"]/1024)
	}
}
