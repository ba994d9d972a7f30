package look

import (
	"strings"
	"testing"
)

const two = `
apiVersion: canaries.flanksource.com/v1
kind: Canary
metadata: {name: one, namespace: payments}
---
# nothing
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: other}}
---
apiVersion: v1
kind: List
items:
- {apiVersion: canaries.flanksource.com/v1, kind: Canary, metadata: {name: two}}
- {apiVersion: example.com/v1, kind: Canary, metadata: {name: another-kind}}
`

// Of a file the Canaries count, in their order, wherever they stand in it.
func TestCanariesOfAFile(t *testing.T) {
	canaries, err := Canaries(strings.NewReader(two))
	if err != nil || len(canaries) != 2 || canaries[0].GetName() != "one" || canaries[1].GetName() != "two" {
		t.Errorf("%v: %v", err, canaries)
	}
	for text, says := range map[string]string{
		"": "there is no Canary", "kind: ConfigMap": "there is no Canary", "just words": "neither YAML nor JSON", "a: [": "neither YAML nor JSON",
		"{apiVersion: canaries.flanksource.com/v1, kind: Canary, metadata: {namespace: payments}}": "without a name",
	} {
		if canaries, err := Canaries(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, %v", text, canaries, err)
		}
	}
}

// A Secret registers one agent, and whatever is wrong with the file, nothing of it is repeated.
func TestRegistrationOfAFile(t *testing.T) {
	const secret = `
apiVersion: v1
kind: Secret
metadata: {name: shop, labels: {fanout.flanksource.com/secret-type: cluster, tier: prod}}
stringData: {kubeconfig: hush}
`
	r, err := Registration(strings.NewReader(secret))
	if err != nil || r.Agent != "shop" || r.Labels["tier"] != "prod" || string(r.Secret.Data["kubeconfig"]) != "hush" || r.Err == nil {
		t.Errorf("%v: %+v", err, r)
	}
	for name, text := range map[string]string{
		"two of them":       secret + "---" + strings.Replace(secret, "shop", "other", 1),
		"none that is one":  strings.Replace(secret, "secret-type: cluster", "secret-type: hush", 1),
		"one that is none":  strings.Replace(secret, "{kubeconfig: hush}", "[hush]", 1),
		"no YAML":           secret + "\thush: [",
		"data without code": strings.Replace(secret, "stringData: {kubeconfig: hush}", "data: {kubeconfig: '!hush!'}", 1),
	} {
		if _, err := Registration(strings.NewReader(text)); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
