package charts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// A misspelt value, or one of the wrong type, is refused, and the message says where it stands.
func TestFaultyValuesAreRefused(t *testing.T) {
	for values, want := range map[string]string{
		"replicaCont: 2":                                    "additional properties 'replicaCont' not allowed",
		"flags: {probe-periode: 5s}":                        "at '/flags': additional properties 'probe-periode' not allowed",
		"flags: {probe-period: 5}":                          "at '/flags/probe-period'",
		"flags: {probe-period: 5 s}":                        "at '/flags/probe-period'",
		"flags: {create-namespaces: 'no'}":                  "at '/flags/create-namespaces'",
		"flags: {api-bind-address: '0.0.0.0:8082'}":         "at '/flags/api-bind-address'",
		"flags: {v: 9}":                                     "at '/flags/v'",
		"flags: {registration: capi}":                       "additional properties 'registration' not allowed",
		"image: {tagg: v1}":                                 "at '/image': additional properties 'tagg' not allowed",
		"image: {digest: abc}":                              "at '/image/digest'",
		"registration: [natve]":                             "at '/registration/0'",
		"registration: native":                              "at '/registration'",
		"replicaCount: two":                                 "at '/replicaCount'",
		"clusterNamespace: Not_A_Name":                      "at '/clusterNamespace'",
		"extraArgs: {v: 2}":                                 "at '/extraArgs'",
		"imagePullSecrets: [registry]":                      "at '/imagePullSecrets/0'",
		"podLabels: {a: 1}":                                 "at '/podLabels/a'",
		"resources: {request: {cpu: 1}}":                    "at '/resources': additional properties 'request' not allowed",
		"prometheusRule: {credentialDays: {warn: 7}}":       "at '/prometheusRule/credentialDays': additional properties 'warn' not allowed",
		"replicaCount: 2\nleaderElection: {enabled: false}": "all replicas would work at once",
		"replicaCount: 2\nsharding: {enabled: true}":        "the replicas are those of sharding.replicas",
		"sharding: {enabled: true}\nflags: {mirror: true}":  "no replica knows how many mirrors the others keep",
		"sharding: {enabled: true, replicas: 0}":            "at '/sharding/replicas'",
		"page: {service: {enabled: true}}":                  "page.tls.secretName is empty",
		"page: {proxy: {groupsHeader: X-Groups}}":           "of no use without page.proxy.userHeader",
		"page: {proxy: {userHeader: 'X User'}}":             "at '/page/proxy/userHeader'",
		"page: {service: {type: ExternalName}}":             "at '/page/service/type'",
		"page: {service: {enabled: true}, tls: {secretName: page-tls}}\nreplicaCount: 2":                           "Set sharding.enabled, where any replica shows all, or replicaCount to 1",
		"page: {service: {enabled: true}, tls: {secretName: page-tls}}\nflags: {api-bind-address: 127.0.0.1:8082}": "flags.api-bind-address is set",
		"page: {service: {enabled: true}, tls: {secretName: page-tls}, proxy: {userHeader: X-Forwarded-User}}":     "anybody who reaches the Service",
		"page: {proxy: {userHeader: X-Forwarded-User, clientCASecretName: proxy-ca}}":                              "of no use without page.service.enabled",
	} {
		_, err := helm(t, values, "template", "fanout", chart, "--values", "-")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not refused with %q: %v", values, want, err)
		}
	}
}

// Every value that the schema knows is in values.yaml, where its comment is, and the other way round.
func TestValuesAreThoseOfTheSchema(t *testing.T) {
	for _, chart := range allCharts(t) {
		var schema map[string]any
		text, err := os.ReadFile(filepath.Join(chart, "values.schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatalf("%s: %v", chart, err)
		}
		var values map[string]any
		if text, err = os.ReadFile(filepath.Join(chart, "values.yaml")); err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, &values); err != nil {
			t.Fatalf("%s: %v", chart, err)
		}
		for key := range schema["properties"].(map[string]any) {
			if _, ok := values[key]; !ok && !slices.Contains([]string{"enabled", "global"}, key) {
				t.Errorf("%s: values.yaml does not show %s", chart, key)
			}
		}
		if schema["additionalProperties"] != false {
			t.Errorf("%s: the schema lets misspelt values through", chart)
		}
	}
}

func TestLint(t *testing.T) {
	for _, chart := range allCharts(t) {
		lints(t, chart, "")
	}
	for _, s := range switches {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			lints(t, chart, s.values)
		})
	}
}

func lints(t *testing.T, chart, values string) {
	t.Helper()
	if said, err := helm(t, values, "lint", "--strict", chart, "--values", "-"); err != nil || !strings.Contains(said, "0 chart(s) failed") {
		t.Errorf("%s with %q: %v\n%s", chart, values, err, said)
	}
}

// allCharts are the paths of all charts in charts/.
func allCharts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(root + "/charts/*/Chart.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no charts: %v", err)
	}
	var charts []string
	for _, file := range files {
		charts = append(charts, filepath.Dir(file))
	}
	return charts
}
