package look

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func canary(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	json, err := yaml.YAMLToJSON([]byte("apiVersion: canaries.flanksource.com/v1\nkind: Canary\n" + text))
	object := &unstructured.Unstructured{}
	if err == nil {
		err = object.UnmarshalJSON(json)
	}
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// What a file says goes over what is in the hub as kubectl apply writes it: what was applied before and is not in the file any more goes, and
// what others added stays. What somebody else wrote is replaced as kubectl replace does, but for labels and annotations.
func TestOver(t *testing.T) {
	file := `
metadata: {name: api, labels: {b: new}}
spec: {schedule: "@every 2h"}
status: {status: Passed}`
	const applied = `kubectl.kubernetes.io/last-applied-configuration: '{"apiVersion":"canaries.flanksource.com/v1","kind":"Canary","metadata":{"name":"api","labels":{"a":"old"}},"spec":{"schedule":"@every 1h","icon":"x"}}'`
	for _, row := range []struct{ name, live, want string }{
		{"nothing there", "", `
metadata: {name: api, labels: {b: new}}
spec: {schedule: "@every 2h"}`},
		{"one that kubectl applied", `
metadata: {name: api, uid: u, resourceVersion: "7", labels: {a: old, c: others}, annotations: {` + applied + `}}
spec: {schedule: "@every 1h", icon: x, replicas: 1}`, `
metadata: {name: api, uid: u, resourceVersion: "7", labels: {b: new, c: others}, annotations: {` + applied + `}}
spec: {schedule: "@every 2h", replicas: 1}`},
		{"one of somebody else's", `
metadata: {name: api, uid: u, resourceVersion: "7", labels: {a: old}, annotations: {d: kept}}
spec: {schedule: "@every 1h", replicas: 1}`, `
metadata: {name: api, uid: u, resourceVersion: "7", labels: {a: old, b: new}, annotations: {d: kept}}
spec: {schedule: "@every 2h"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			var live *unstructured.Unstructured
			if row.live != "" {
				live = canary(t, row.live)
			}
			got := over(canary(t, file), live)
			if diff := cmp.Diff(canary(t, row.want).Object, got.Object); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
