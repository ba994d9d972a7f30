package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPreview(t *testing.T) {
	noHub(t)
	address := aFleet().serve(t)
	const edited = `
apiVersion: v1
kind: ConfigMap
metadata: {name: beside}
---
apiVersion: canaries.flanksource.com/v1
kind: Canary
metadata: {name: api-health, namespace: payments, labels: {team: payments}}
spec:
  schedule: "@every 1m"
  http: [{name: api, url: "http://api.default.svc:8080/healthz"}]
  agentSelector: ["eu-*", "tier=dev", "local"]
`
	for _, row := range []struct {
		name, file string
		args       []string
		code       int
	}{
		{"preview", edited, []string{"preview", "-f", "FILE"}, 1},
		{"preview-json", edited, []string{"preview", "-f", "FILE", "-o", "json"}, 1},
		{"preview-columns", edited, []string{"preview", "-f", "FILE", "-o", "custom-columns=AGENT:.agent,ACTION:.action"}, 1},
		{"preview-several", `
apiVersion: v1
kind: List
items:
- apiVersion: canaries.flanksource.com/v1
  kind: Canary
  metadata: {name: faulty}
  spec: {agentSelector: ["*", "{eu"]}
- apiVersion: canaries.flanksource.com/v1
  kind: Canary
  metadata: {name: taken, namespace: shop}
  spec: {agentSelector: ["us-*"]}
- apiVersion: canaries.flanksource.com/v1
  kind: Canary
  metadata: {name: plain}
  spec: {schedule: "@every 1m"}
`, []string{"preview", "-f", "FILE", "-n", "team-a"}, 0},
		{"preview-conflict", `
apiVersion: canaries.flanksource.com/v1
kind: Canary
metadata: {name: checkout, namespace: shop}
spec: {agentSelector: ["*-prod"]}
`, []string{"preview", "-f", "FILE"}, 0},
		{"preview-agent", `
apiVersion: v1
kind: Secret
metadata: {name: eu-north-prod, labels: {fanout.flanksource.com/secret-type: cluster, tier: prod}, annotations: {fanout.flanksource.com/namespaces: payments}}
stringData:
  kubeconfig: '{apiVersion: v1, kind: Config, current-context: m, contexts: [{name: m, context: {cluster: m, user: m}}], clusters: [{name: m, cluster: {server: "https://10.0.0.1"}}], users: [{name: m, user: {token: the-token}}]}'
`, []string{"preview", "--agent", "FILE"}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file.yaml")
			if err := os.WriteFile(path, []byte(row.file), 0o600); err != nil {
				t.Fatal(err)
			}
			args := append([]string(nil), row.args...)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "FILE", path)
			}
			code, out, errOut := runFanout(t, t.Context(), append(args, "--controller", address)...)
			if code != row.code {
				t.Errorf("code %d, want %d: %s", code, row.code, errOut)
			}
			expectNoControl(t, out)
			if strings.Contains(out+errOut, "the-token") {
				t.Error("it tells the credential")
			}
			golden(t, row.name, out)
		})
	}
}

func TestPreviewOfWhatIsNone(t *testing.T) {
	noHub(t)
	address := aFleet().serve(t)
	for name, row := range map[string]struct {
		flag, file string
		says       []string
	}{
		"no YAML":          {"-f", "\t{", []string{"neither YAML nor JSON"}},
		"no Canary":        {"-f", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", []string{"no Canary"}},
		"no Secret":        {"--agent", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", []string{"one Secret", "fanout.flanksource.com/secret-type=cluster"}},
		"a Secret refused": {"--agent", "apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: {fanout.flanksource.com/secret-type: cluster}}\nstringData: {kubeconfig: 'the-token'}\n", []string{"kubeconfig"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := runFanout(t, t.Context(), "preview", row.flag, file(t, row.file), "--controller", address)
			if code != exitUsage || out != "" || strings.Contains(errOut, "the-token") {
				t.Errorf("code %d: %s%s", code, out, errOut)
			}
			says(t, "it", errOut, row.says...)
		})
	}
}
