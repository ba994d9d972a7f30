package charts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"fanout/pkg/fanout/derive"
	"fanout/test/fixture"
)

const bundled = root + "/charts/bundled-canary"

// bundle renders a chart that brings Canaries.
func bundle(t *testing.T, chart, values string, args ...string) []*unstructured.Unstructured {
	t.Helper()
	text, err := helm(t, values, append([]string{"template", "payment-service", chart, "--namespace", "payments", "--values", "-"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	var canaries []*unstructured.Unstructured
	for _, document := range strings.Split(text, "\n---\n") {
		canary := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict([]byte(document), &canary.Object); err != nil {
			t.Fatalf("%v:\n%s", err, document)
		}
		if len(canary.Object) > 0 {
			canaries = append(canaries, canary)
		}
	}
	return canaries
}

// What comes of the values is what the Canary's CRD knows, named after the release, and nothing that fanout would take for its own.
func TestBundledCanary(t *testing.T) {
	server := newServer(t)
	if err := server.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
		t.Fatal(err)
	}
	server.Namespace(t, "payments")
	const (
		health = `{name: payment-service, url: "http://payment-service.payments.svc:8080/health", responseCodes: [200]`
		minute = `schedule: "@every 1m"`
	)
	for _, row := range []struct{ name, values, spec string }{
		{"as it is", "", minute + "\nhttp: [" + health + "}]"},
		{"an environment's", example(t, "ap-south-prod"), "schedule: \"@every 2m\"\nhttp: [" + health + `, thresholdMillis: 800, test: {expr: "json.status == 'healthy'"}}]`},
		{"another's", example(t, "eu-west-prod"), "schedule: \"@every 30s\"\nhttp: [" + health + `, thresholdMillis: 200, test: {expr: "json.status == 'healthy'"}}]`},
		{"a third's", example(t, "dev"), "schedule: \"@every 15m\"\nseverity: low\nhttp: [" + strings.Replace(health, "[200]", "[200, 204]", 1) + "}]"},
		{"another address", "scheme: https\nservice: payments-api\nport: 8443\npath: /ready", minute + `
http: [{name: payment-service, url: "https://payments-api.payments.svc:8443/ready", responseCodes: [200]}]`},
		{"a whole address", "url: https://{{ .Release.Name }}.example.com/health", minute + `
http: [{name: payment-service, url: "https://payment-service.example.com/health", responseCodes: [200]}]`},
		{"more fields", "check: {name: api, method: POST, maxSSLExpiry: 14}\nspec: {replicas: 0, http: [{name: other, url: http://other}]}", minute + `
replicas: 0
http: [{name: api, method: POST, maxSSLExpiry: 14, url: "http://payment-service.payments.svc:8080/health", responseCodes: [200]}, {name: other, url: http://other}]`},
		{"labels and annotations", "labels: {tier: prod, app.kubernetes.io/managed-by: fanout}\nannotations: {docs: here}", minute + "\nhttp: [" + health + "}]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			canaries := bundle(t, bundled, row.values)
			if len(canaries) != 1 {
				t.Fatalf("there are %d objects", len(canaries))
			}
			canary := canaries[0]
			var want any
			if err := yaml.Unmarshal([]byte(row.spec), &want); err != nil {
				t.Fatal(err)
			}
			if difference := cmp.Diff(want, canary.Object["spec"]); difference != "" {
				t.Errorf("-want +got:\n%s", difference)
			}
			if canary.GetName() != "payment-service-health" || canary.GetNamespace() != "payments" || canary.GetLabels()[derive.LabelManagedBy] != "Helm" {
				t.Errorf("it is %s/%s, labels %v", canary.GetNamespace(), canary.GetName(), canary.GetLabels())
			}
			for key := range canary.GetLabels() {
				if strings.HasPrefix(key, "fanout.flanksource.com/") {
					t.Errorf("it has the label %s", key)
				}
			}
			if warnings, err := server.apply(t, canary, true); err != nil || warnings != "" {
				t.Errorf("the API server: %v %s", err, warnings)
			}
		})
	}
	if canaries := bundle(t, bundled, "enabled: false"); len(canaries) != 0 {
		t.Errorf("with enabled: false there are %d objects", len(canaries))
	}
	// What the rows above rely on: a field that the CRD does not have is refused, such as the one by which the value is called.
	canary := bundle(t, bundled, "spec: {http: [{name: x, url: http://x, maxResponseTime: 5}]}")[0]
	if _, err := server.apply(t, canary, true); err == nil || !strings.Contains(err.Error(), "maxResponseTime") {
		t.Errorf("a field that a Canary does not have is not refused: %v", err)
	}
}

func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(bundled, "examples", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestBundledCanaryRefuses(t *testing.T) {
	for values, says := range map[string]string{
		"schedul: x":                              "additional properties 'schedul' not allowed",
		"maxResponsetime: 5":                      "additional properties 'maxResponsetime' not allowed",
		"maxResponseTime: 5s":                     "at '/maxResponseTime'",
		"test: {exp: x}":                          "at '/test': additional properties 'exp' not allowed",
		"port: http":                              "at '/port'",
		"path: health":                            "at '/path'",
		"suffix: A_b":                             "at '/suffix'",
		"responseCodes: []":                       "at '/responseCodes'",
		"check: {maxResponseTime: 5}":             "set maxResponseTime",
		"check: {url: http://x}":                  "set url",
		"spec: {schedule: x}":                     "set schedule",
		"spec: {agentSelector: ['*']}":            "is a Canary in the hub",
		"labels: {fanout.flanksource.com/hub: x}": "would make this Canary fanout's",
		"annotations: {fanout.flanksource.com/adopt: 'true'}": "would make this Canary fanout's",
	} {
		if _, err := helm(t, values, "template", "payment-service", bundled, "--values", "-"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not refused with %q: %v", values, says, err)
		}
	}
}

// An application's chart takes it as a subchart, under aliases, as its README says.
func TestBundledCanaryAsASubchart(t *testing.T) {
	application := t.TempDir()
	absolute, err := filepath.Abs(bundled)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{apiVersion: v2, name: payment-service, version: 1.0.0, dependencies: [
  {name: bundled-canary, alias: canary, version: ">=0.0.0-0", repository: "file://%s", condition: canary.enabled},
  {name: bundled-canary, alias: queue, version: ">=0.0.0-0", repository: "file://%[1]s"}]}`, absolute)
	for file, content := range map[string]string{"Chart.yaml": text, "values.yaml": "{global: {registry: x}, canary: {maxResponseTime: 200}, queue: {suffix: queue, port: 9090}}"} {
		if err := os.WriteFile(filepath.Join(application, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := helm(t, "", "dependency", "update", application); err != nil {
		t.Fatal(err)
	}
	names := func(values string) (names []string) {
		for _, canary := range bundle(t, application, values) {
			names = append(names, canary.GetName())
		}
		return names
	}
	if difference := cmp.Diff([]string{"payment-service-health", "payment-service-queue"}, names("canary: {maxResponseTime: 800}")); difference != "" {
		t.Error(difference)
	}
	if difference := cmp.Diff([]string{"payment-service-queue"}, names("canary: {enabled: false}")); difference != "" {
		t.Error(difference)
	}
	if _, err := helm(t, "canary: {schedul: x}", "template", "payment-service", application, "--values", "-"); err == nil || !strings.Contains(err.Error(), "'schedul' not allowed") {
		t.Errorf("a misspelt value of the subchart: %v", err)
	}
}
