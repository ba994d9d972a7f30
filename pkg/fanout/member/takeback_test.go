package member

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/fanout/fanouttest"
)

// A list that the parent does not set any more and that canary-checker wrote last is made fanout's by a patch of the very version
// that was read, and of nothing but managedFields. The apply that follows is of the version that came of it.
func TestWhatIsTakenAwayIsTakenBackFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		roundTripped := asStored(copyFor(aParent(), thisHub, member1), withUID("copy"), withVersion(7),
			writtenBy(checker, "http", list{anHTTPCheck(empties)}), writtenBy("kubectl-edit", "severity", "low"))
		var patches []*unstructured.Unstructured
		b := work(t, &aHub{parent: aParent(withoutSpec("http"))}, func(call *fanouttest.Call) string {
			if call.Method == http.MethodGet {
				return asText(t, roundTripped)
			}
			patch := &unstructured.Unstructured{}
			must(t, json.Unmarshal(call.Body, &patch.Object))
			patches = append(patches, patch)
			if types.PatchType(call.ContentType) == types.MergePatchType {
				return asText(t, asStored(roundTripped, withVersion(8)))
			}
			return asText(t, asStored(copyFor(aParent(withoutSpec("http")), thisHub, member1), withUID("copy"), withVersion(9)))
		})
		defer b.stop()
		b.view.update(seen(roundTripped))
		synctest.Wait()

		mustEqual(t, "asked", b.server.Asked(), []string{"GET " + placeURL, "PATCH " + placeURL, "PATCH " + placeURL})
		takeBack, apply := patches[0], patches[1]
		mustEqual(t, "UID and version taken back from", takeBack.GetResourceVersion()+" "+string(takeBack.GetUID()), "7 copy")
		mustEqual(t, "UID and version applied to", apply.GetResourceVersion()+" "+string(apply.GetUID()), "8 copy")
		if metadata := takeBack.Object["metadata"].(fields); len(takeBack.Object) != 1 || len(metadata) != 3 {
			t.Errorf("it patches more than the managed fields: %v", takeBack.Object)
		}
		managed := map[string][]string{}
		for _, m := range derive.ManagersOf(takeBack) {
			for _, field := range []string{"http", "icon", "schedule", "severity"} {
				if m.Fields["f:"+field] != nil {
					managed[m.Name] = append(managed[m.Name], field)
				}
			}
		}
		mustEqual(t, "who manages what", managed, map[string][]string{
			derive.FieldManager: {"http", "icon", "schedule"}, "kubectl-edit": {"severity"},
		})
	})
}

// An entry whose part of the spec is all taken back must not be left with an empty one: it would hold the spec as a whole.
func TestNoManagerIsLeftWithAnEmptySpec(t *testing.T) {
	live := asStored(copyFor(aParent(), thisHub, member1), writtenBy(checker, "http", list{anHTTPCheck(empties)}),
		withManager(fields{"manager": "kubectl", "operation": "Update", "fieldsV1": fields{"f:metadata": fields{"f:labels": fields{}}, "f:spec": fields{"f:http": fields{}}}}))
	managed, err := managedByFanout(live, []string{"http"})
	must(t, err)
	mustEqual(t, "managers that are left", len(managed), 2)
	for _, item := range managed {
		entry := item.(fields)
		spec, has, _ := unstructured.NestedMap(entry, "fieldsV1", "f:spec")
		if has && len(spec) == 0 {
			t.Errorf("%s is left with %v", entry["manager"], entry["fieldsV1"])
		}
	}
}

// Where nobody knows any more that fanout set a field, fanout says so.
func TestTakenBackFromNobody(t *testing.T) {
	live := copyFor(aParent(), thisHub, member1)
	managed, err := managedByFanout(live, []string{"http", "schedule"})
	must(t, err)
	live.Object["metadata"].(fields)["managedFields"] = managed
	managers := derive.ManagersOf(live)
	if len(managers) != 1 || !managers[0].IsFanout() || managers[0].Operation != metav1.ManagedFieldsOperationApply {
		t.Fatalf("managed by %+v", managers)
	}
	mustEqual(t, "fields", managers[0].Fields, fields{"f:http": fields{}, "f:schedule": fields{}})
}

func asText(t *testing.T, c *unstructured.Unstructured) string {
	t.Helper()
	text, err := c.MarshalJSON()
	must(t, err)
	return string(text)
}
