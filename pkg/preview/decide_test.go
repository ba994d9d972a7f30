package preview

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/api"
	"fanout/pkg/fanout/derive"
)

const hub = "this-hub"

func copyOf(spec map[string]any) *unstructured.Unstructured {
	parent := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	parent.SetNamespace("payments")
	parent.SetName("api-health")
	return derive.For(parent, spec, hub, "a").Canary()
}

func TestDecide(t *testing.T) {
	check := func(url string) map[string]any { return map[string]any{"name": "api", "url": url} }
	was := copyOf(map[string]any{"schedule": "@every 30s", "http": []any{check("x")}, "icon": "heart"})
	stored := was.DeepCopy().Object
	stored["spec"].(map[string]any)["http"] = []any{map[string]any{"name": "api", "url": "x", "display": map[string]any{}}} // as canary-checker writes it back
	stored["spec"].(map[string]any)["owner"] = "somebody else's"
	held := api.Found{Exists: true, Owner: hub, Canary: stored}
	selected, other := Target{Copy: Copy{Agent: "a"}, Selected: true, Look: true}, Target{Copy: Copy{Agent: "a"}, Look: true}
	edited := copyOf(map[string]any{"schedule": "@every 30s", "http": []any{check("y")}})
	for _, row := range []struct {
		name   string
		target Target
		found  api.Found
		wanted *unstructured.Unstructured
		want   Action
		diff   []string
	}{
		{"nothing there", selected, api.Found{}, was, Create, nil},
		{"nothing there, nothing wanted", other, api.Found{}, nil, None, nil},
		{"as it is wanted", selected, held, was, None, nil},
		{"another check, a field less", selected, held, edited, Change, []string{"-    url: x", "+    url: \"y\"", "-  icon: heart"}},
		{"not wanted any more", other, held, nil, Prune, nil},
		{"somebody else's", selected, api.Found{Exists: true}, was, Conflict, nil},
		{"another hub's", selected, api.Found{Exists: true, Owner: "another"}, was, Conflict, nil},
		{"another's, and nothing wanted", other, api.Found{Exists: true, Owner: "another"}, nil, None, nil},
		{"being deleted", selected, api.Found{Exists: true, Owner: hub, Terminating: true, Finalizers: []string{"x"}}, was, Wait, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := row.target.Decide(hub, row.found, row.wanted, was)
			if got.Action != row.want || (got.Diff != "") != (row.want == Change) {
				t.Errorf("%+v, want %s", got, row.want)
			}
			for _, line := range row.diff {
				if !strings.Contains(got.Diff, line+"\n") {
					t.Errorf("no line %q in\n%s", line, got.Diff)
				}
			}
			if strings.Contains(got.Diff, "-  owner") || strings.Contains(got.Diff, "display") || strings.Contains(got.Diff, "fanout.flanksource.com/hash") {
				t.Errorf("what is nobody's business is in it:\n%s", got.Diff)
			}
		})
	}
}
