package charts

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	corev1 "k8s.io/api/core/v1"

	"fanout/pkg/results"
)

// alert is a rule of a PrometheusRule.
type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T, r *release) []alert {
	t.Helper()
	text, err := json.Marshal(r.custom(t, "PrometheusRule"))
	if err != nil {
		t.Fatal(err)
	}
	var rule struct {
		Spec struct {
			Groups []struct{ Rules []alert }
		}
	}
	if err := json.Unmarshal(text, &rule); err != nil {
		t.Fatal(err)
	}
	var found []alert
	for _, group := range rule.Spec.Groups {
		found = append(found, group.Rules...)
	}
	if len(found) < 5 {
		t.Fatalf("there are only %d alerts", len(found))
	}
	return found
}

// scraped are labels that Prometheus adds to what it scrapes.
var scraped = []string{"namespace", "job", "pod"}

func TestAlertsAskForWhatThereIs(t *testing.T) {
	metrics := metricsOfFanout(t)
	for _, alert := range alerts(t, render(t, "fanout", system, "prometheusRule: {enabled: true}")) {
		t.Run(alert.Alert, func(t *testing.T) {
			result := metrics.check(t, alert.Expr)
			if _, err := model.ParseDuration(alert.For); err != nil {
				t.Errorf("for: %v", err)
			}
			if !slices.Contains([]string{"warning", "critical"}, alert.Labels["severity"]) {
				t.Errorf("severity is %q", alert.Labels["severity"])
			}
			summary := alert.Annotations["summary"]
			// As Prometheus has it: the functions that summaries use, and these variables.
			_, err := template.New("").Funcs(template.FuncMap{"humanizeDuration": func(float64) string { return "" }}).
				Parse("{{$labels := .Labels}}{{$value := .Value}}" + summary)
			if summary == "" || err != nil {
				t.Errorf("summary %q: %v", summary, err)
			}
			for _, named := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(summary, -1) {
				if !slices.Contains(result, named[1]) {
					t.Errorf("the summary names the label %s, and the expression leaves %q", named[1], result)
				}
			}
		})
	}
}

// Whatever is wrong with a result, somebody is told, and can see in whose namespace.
func TestWhatIsWrongWithResultsIsAlertedOnAndDrawn(t *testing.T) {
	var expressions strings.Builder
	for _, alert := range alerts(t, render(t, "fanout", system, "prometheusRule: {enabled: true}")) {
		expressions.WriteString(alert.Expr + "\n")
	}
	if !strings.Contains(expressions.String(), "fanout_results_oldest_seconds") {
		t.Error("no alert asks for the age of the oldest knowledge")
	}
	drawn := one[*corev1.ConfigMap](t, render(t, "fanout", system, "dashboard: {enabled: true}")).Data["fanout.json"]
	for _, state := range results.Worst {
		switch state {
		case results.Passed, results.Paused, results.Pending:
			continue
		}
		named := `[^}]*state=~?\\?"[\w|]*\b` + strings.ToLower(state.String()) + `\b`
		alerted := "fanout_results" + `\{` + named
		if state == results.Unreachable { // which is its members' alert, once and not for each namespace
			alerted = `fanout_members\{state="Unreachable"`
		}
		if !regexp.MustCompile(alerted).MatchString(expressions.String()) {
			t.Errorf("no alert asks for results that are %s", state)
		}
		if !regexp.MustCompile(`by \(parent_namespace[^)]*\) \(fanout_results\{` + named).MatchString(drawn) {
			t.Errorf("no panel shows where results are %s", state)
		}
	}
}

// Each alert has a runbook, where its annotation says: a heading with its name, with what it means, where to look and what to do.
func TestAlertsHaveRunbooks(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, alert := range alerts(t, render(t, "fanout", system, "prometheusRule: {enabled: true}")) {
		named[alert.Alert] = true
		if want := "docs/operations.md#" + strings.ToLower(alert.Alert); alert.Annotations["runbook_url"] != want {
			t.Errorf("the runbook of %s is at %s, not %s", alert.Alert, alert.Annotations["runbook_url"], want)
		}
		_, text, found := strings.Cut(string(page), "\n### "+alert.Alert+"\n")
		text, _, _ = strings.Cut(text, "\n#")
		if !found || len(strings.Fields(text)) < 25 {
			t.Errorf("docs/operations.md has no runbook for %s", alert.Alert)
		}
	}
	for _, heading := range regexp.MustCompile(`(?m)^### (Fanout\w+)$`).FindAllStringSubmatch(string(page), -1) {
		if !named[heading[1]] {
			t.Errorf("docs/operations.md has a runbook for %s, which is no alert", heading[1])
		}
	}
}

func TestDashboardAsksForWhatThereIs(t *testing.T) {
	metrics := metricsOfFanout(t)
	var board struct {
		UID    string
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	text := one[*corev1.ConfigMap](t, render(t, "fanout", system, "dashboard: {enabled: true}")).Data["fanout.json"]
	if err := json.Unmarshal([]byte(text), &board); err != nil {
		t.Fatal(err)
	}
	if board.UID == "" || len(board.Panels) < 5 {
		t.Fatalf("a dashboard %q with %d panels", board.UID, len(board.Panels))
	}
	variables := strings.NewReplacer("$namespace", ".*", "$__rate_interval", "1m")
	for _, panel := range board.Panels {
		if len(panel.Targets) == 0 {
			t.Errorf("the panel %q asks for nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			metrics.check(t, variables.Replace(target.Expr))
		}
	}
}

// The list in docs/behaviour.md, which the other pages lead to.
func TestMetricsAreDocumented(t *testing.T) {
	page := behaviour(t)
	documented := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(fanout_\\w+)(?:\\{([a-z_,]+)\\})?` \\|").FindAllStringSubmatch(page, -1) {
		documented[row[1]] = strings.FieldsFunc(row[2], func(r rune) bool { return r == ',' })
	}
	for name, family := range metricsOfFanout(t) {
		if !strings.HasPrefix(name, "fanout_") {
			continue
		}
		var has []string
		for label := range family {
			has = append(has, label)
		}
		slices.Sort(has)
		wanted, there := documented[name]
		if slices.Sort(wanted); !there || !slices.Equal(has, wanted) {
			t.Errorf("%s has the labels %q, and docs/behaviour.md lists %q", name, has, wanted)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("docs/behaviour.md lists %s, which fanout has not", name)
	}
}

func behaviour(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(root + "/docs/behaviour.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// check parses a query, complains of what no metric of fanout has, and returns the labels that its result has.
func (m metrics) check(t *testing.T, query string) (result []string) {
	t.Helper()
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		t.Errorf("%s: %v", query, err)
		return nil
	}
	selectors := 0
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.VectorSelector:
			selectors++
			m.checkSelector(t, query, node)
		case *parser.AggregateExpr:
			for _, label := range node.Grouping {
				if label != "le" && !m.labelled(node.Expr, label) {
					t.Errorf("%s: there is no label %s", query, label)
				}
			}
			if result == nil {
				result = node.Grouping
			}
		}
		return nil
	})
	if selectors == 0 {
		t.Errorf("%s asks for no metric", query)
	}
	return result
}

func (m metrics) checkSelector(t *testing.T, query string, selector *parser.VectorSelector) {
	t.Helper()
	family, ok := m.family(selector.Name)
	if !ok {
		t.Errorf("%s: fanout has no metric %s", query, selector.Name)
		return
	}
	for _, matcher := range selector.LabelMatchers {
		if matcher.Name == model.MetricNameLabel || slices.Contains(scraped, matcher.Name) {
			continue
		}
		seen, ok := family[matcher.Name]
		if !ok {
			t.Errorf("%s: %s has no label %s", query, selector.Name, matcher.Name)
			continue
		}
		for _, value := range strings.Split(matcher.Value, "|") {
			// A reason that this test's fanout had no occasion for is one that the page has.
			if !slices.Contains(seen, value) && !strings.Contains(behaviour(t), "`"+value+"`") {
				t.Errorf("%s: no %s has the %s %q", query, selector.Name, matcher.Name, value)
			}
		}
	}
}

// labelled says whether what an expression asks for has a label.
func (m metrics) labelled(expression parser.Expr, label string) bool {
	has := slices.Contains(scraped, label)
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			family, _ := m.family(selector.Name)
			_, ok := family[label]
			has = has || ok
		}
		return nil
	})
	return has
}
