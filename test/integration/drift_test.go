package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/fanout/derive"
	"fanout/test/controlplane"
	"fanout/test/fixture"
)

// What fanout set and somebody changed is put back, by one write, into the same object.
func TestDriftIsPutBack(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	member := w.members["eu-west-prod"]
	drifts := []struct{ name, patch string }{
		{"field", `{"spec":{"schedule":"@every 9h"}}`},
		{"field-removed", `{"spec":{"schedule":null}}`},
		{"list-element", `{"spec":{"http":[{"name":"api","url":"http://elsewhere"}]}}`},
		{"list-longer", `{"spec":{"http":[{"name":"api","url":"http://api.default.svc:8080/health","responseCodes":[200]},{"name":"more","url":"http://elsewhere"}]}}`},
		{"spec-removed", `{"spec":null}`},
		{"label", `{"metadata":{"labels":{"team":"nobody"}}}`},
		{"label-removed", `{"metadata":{"labels":{"team":null}}}`},
		{"managed-by", `{"metadata":{"labels":{"app.kubernetes.io/managed-by":"Helm"}}}`},
		{"managed-by-removed", `{"metadata":{"labels":{"app.kubernetes.io/managed-by":null}}}`},
		{"annotation", `{"metadata":{"annotations":{"owner":"nobody"}}}`},
		{"parent", strip(derive.AnnotationParent)},
		{"parent-uid", strip(derive.AnnotationParentUID)},
		{"agent", strip(derive.AnnotationAgent)},
		{"hash", strip(derive.AnnotationHash)},
		{"parent-generation", strip(derive.AnnotationParentGeneration)},
		{"a-later-generation", `{"metadata":{"annotations":{"fanout.flanksource.com/parent-generation":"77"}}}`},
		{"another-parent", `{"metadata":{"annotations":{"fanout.flanksource.com/parent":"other/parent"}}}`},
		{"annotations", `{"metadata":{"annotations":null}}`},
	}
	before := map[string]*unstructured.Unstructured{}
	for _, drift := range drifts {
		w.hub.Apply(t, w.labelled(drift.name))
	}
	for _, drift := range drifts {
		before[drift.name] = w.expectDerived(t, "eu-west-prod", drift.name)
	}
	written := w.fanoutWrites(t, "eu-west-prod")
	for _, drift := range drifts {
		member.Patch(t, w.canaries, drift.name, drift.patch)
		if edited := member.Get(t, w.canaries, drift.name); edited.GetResourceVersion() == before[drift.name].GetResourceVersion() {
			t.Errorf("%s: the drift changed nothing", drift.name)
		}
	}
	for _, drift := range drifts {
		fixture.Eventually(t, drift.name+" is put back", func() error {
			now := member.Get(t, w.canaries, drift.name)
			if now.GetResourceVersion() == before[drift.name].GetResourceVersion() {
				return fmt.Errorf("it did not drift")
			}
			return fixture.Same("it", substanceOf(now), substanceOf(before[drift.name]))
		})
	}
	for name, writes := range w.fanoutWrites(t, "eu-west-prod") {
		if more := len(writes) - len(written[name]); more != 1 {
			t.Errorf("%s was put back by %d writes: %v", name, more, writes[len(written[name]):])
		}
	}

	t.Log("deleted")
	for _, drift := range drifts {
		member.Delete(t, w.canaries, drift.name)
	}
	for _, drift := range drifts {
		fixture.Eventually(t, drift.name+" is created again", func() error {
			now := member.Get(t, w.canaries, drift.name)
			if now == nil || now.GetUID() == before[drift.name].GetUID() {
				return fmt.Errorf("it is not")
			}
			return fixture.Derived(now, w.hub.Get(t, w.canaries, drift.name), "eu-west-prod")
		})
	}
}

// What others add is theirs: fanout writes nothing because of it, not at a resync either, and leaves it when it writes.
func TestWhatOthersAddStays(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t, "--resync-period=300ms", "--orphan-sweep-period=1s")
	member := w.members["eu-west-prod"]
	additions := []struct{ name, subresource, patch string }{
		{"status", "status", `{"status":{"message":"ran","status":"Passed"}}`},
		{"finalizer", "", `{"metadata":{"finalizers":["canary.canaries.flanksource.com"]}}`},
		{"label", "", `{"metadata":{"labels":{"cost-center":"7"}}}`},
		{"annotation", "", `{"metadata":{"annotations":{"seen-by":"kyverno"}}}`},
		{"next-runtime", "", `{"metadata":{"annotations":{"next-runtime":"2030-01-01T00:00:00Z"}}}`},
		{"field", "", `{"spec":{"severity":"low"}}`},
		{"nested-field", "", `{"spec":{"icon":"heart"}}`},
		{"owner", "", `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"1"}]}}`},
	}
	for _, addition := range additions {
		w.hub.Apply(t, w.labelled(addition.name))
	}
	for _, addition := range additions {
		w.expectDerived(t, "eu-west-prod", addition.name)
	}
	written := w.fanoutWrites(t, "eu-west-prod")
	left := map[string]*unstructured.Unstructured{}
	for _, addition := range additions {
		var subresources []string
		if addition.subresource != "" {
			subresources = append(subresources, addition.subresource)
		}
		added, err := member.Canaries(w.canaries).Patch(t.Context(), addition.name, types.MergePatchType, []byte(addition.patch),
			metav1.PatchOptions{FieldManager: "canary-checker"}, subresources...)
		if err != nil {
			t.Fatalf("%s: %v", addition.name, err)
		}
		left[addition.name] = added
	}
	// Two more Canaries go through after them, one after the other, and with them several resyncs.
	for _, name := range []string{"last", "very-last"} {
		w.hub.Apply(t, w.canary(name, "*"))
		w.expectDerived(t, "eu-west-prod", name)
	}
	for _, addition := range additions {
		expectUnchanged(t, member, left[addition.name])
		if more := w.fanoutWrites(t, "eu-west-prod")[addition.name][len(written[addition.name]):]; len(more) != 0 {
			t.Errorf("%s: fanout wrote %v", addition.name, more)
		}
	}

	t.Log("nor does an edit of the parent take it away")
	for _, addition := range additions {
		w.hub.Patch(t, w.canaries, addition.name, `{"spec":{"schedule":"@every 7m"}}`)
	}
	for _, addition := range additions {
		want := substanceOf(left[addition.name])
		want["spec"].(map[string]any)["schedule"] = "@every 7m"
		fixture.Eventually(t, addition.name+" is edited and the rest stays", func() error {
			got := substanceOf(member.Get(t, w.canaries, addition.name))
			for _, substance := range []map[string]any{got, want} { // these two follow the edit
				delete(substance["annotations"].(map[string]string), derive.AnnotationHash)
				delete(substance["annotations"].(map[string]string), derive.AnnotationParentGeneration)
			}
			return fixture.Same("it", got, want)
		})
	}
}

// A copy without the hub's label is no longer fanout's, whoever took the label off, and fanout does not take it back. With
// the label it is fanout's again.
func TestUnlabelledCopyIsNotFanouts(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.startFanout(t)
	member := w.members["eu-west-prod"]
	patches := map[string]string{"removed": `null`, "changed": `"another-hub"`}
	hubs := map[string]string{}
	for name := range patches {
		w.hub.Apply(t, w.canary(name, "*"))
		hubs[name] = w.expectDerived(t, "eu-west-prod", name).GetLabels()[derive.LabelHub]
	}
	left := map[string]*unstructured.Unstructured{}
	for name, patch := range patches {
		member.Patch(t, w.canaries, name, fmt.Sprintf(`{"metadata":{"labels":{%q:%s}},"spec":{"schedule":"@every 9h"}}`, derive.LabelHub, patch))
		left[name] = member.Get(t, w.canaries, name)
		w.expectEvent(t, w.canaries, name, "Conflict", `agent "eu-west-prod"`)
	}
	for name := range patches {
		w.hub.Patch(t, w.canaries, name, `{"spec":{"schedule":"@every 7m"}}`)
		w.expectDerived(t, "us-east-prod", name)
		expectUnchanged(t, member, left[name])
		member.Patch(t, w.canaries, name, fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, derive.LabelHub, hubs[name]))
		if back := w.expectDerived(t, "eu-west-prod", name); back.GetUID() != left[name].GetUID() {
			t.Errorf("%s is another one", name)
		}
	}
}

// Another controller that keeps changing the same field is given way to and reported. A change in the hub goes through
// at once all the same.
func TestAnotherWriterIsBackedOffFrom(t *testing.T) {
	const edits = 100
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	member := w.members["eu-west-prod"]
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectDerived(t, "eu-west-prod", "api-health")
	for i := range edits {
		member.Patch(t, w.canaries, "api-health", fmt.Sprintf(`{"spec":{"schedule":"@every %dh"}}`, i+1))
	}
	writes := w.fanoutWrites(t, "eu-west-prod")["api-health"]
	t.Logf("fanout wrote %d times, for %d edits", len(writes), edits)
	if len(writes) > 10 {
		t.Errorf("it fights back: %v", writes)
	}
	w.expectEvent(t, w.canaries, "api-health", "Contested", `agent "eu-west-prod"`)

	w.hub.Patch(t, w.canaries, "api-health", `{"spec":{"schedule":"@every 7m"}}`)
	w.expectDerived(t, "eu-west-prod", "api-health")
}

// A deleted copy that a finalizer holds is waited for, not deleted again, and whoever can do something about it is told:
// the parent's owner, or the member's where there is no parent any more.
func TestHeldCopyIsReported(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t, "--resync-period=1s")
	member := w.members["eu-west-prod"]
	for _, name := range []string{"orphaned", "replaced", "narrowed", "deleted-there"} {
		w.hub.Apply(t, w.canary(name, "*"))
		w.expectDerived(t, "eu-west-prod", name)
		member.Patch(t, w.canaries, name, `{"metadata":{"finalizers":["example.com/hold"]}}`)
	}
	replaced := member.Get(t, w.canaries, "replaced").GetUID()
	w.hub.Delete(t, w.canaries, "orphaned")
	w.hub.Delete(t, w.canaries, "replaced")
	fixture.Eventually(t, "the copy to be replaced is being deleted", func() error {
		if member.Get(t, w.canaries, "replaced").GetDeletionTimestamp() == nil {
			return fmt.Errorf("it is not")
		}
		return nil
	})
	w.hub.Apply(t, w.canary("replaced", "*"))
	w.hub.Patch(t, w.canaries, "narrowed", `{"spec":{"agentSelector":["nowhere"]}}`)
	member.Delete(t, w.canaries, "deleted-there")

	for _, name := range []string{"replaced", "narrowed", "deleted-there"} {
		w.expectEvent(t, w.canaries, name, "Terminating", "(example.com/hold)")
	}
	w.expectSecretEvent(t, "eu-west-prod", "Terminating", w.canaries+"/orphaned")
	for name, writes := range w.fanoutWrites(t, "eu-west-prod") {
		deletes := 0
		for _, write := range writes {
			if write.Verb == "delete" {
				deletes++
			}
		}
		if want := map[string]int{"orphaned": 1, "replaced": 1, "narrowed": 1}[name]; deletes != want {
			t.Errorf("%s was deleted %d times, not %d", name, deletes, want)
		}
	}

	t.Log("let go")
	for _, name := range []string{"orphaned", "replaced", "narrowed", "deleted-there"} {
		member.Patch(t, w.canaries, name, `{"metadata":{"finalizers":null}}`)
	}
	w.expectHolders(t, "orphaned")
	w.expectHolders(t, "narrowed")
	w.expectDerived(t, "eu-west-prod", "deleted-there")
	if now := w.expectDerived(t, "eu-west-prod", "replaced").GetUID(); now == replaced {
		t.Error("the old copy is still there")
	}
}

// A member that is deregistered while a finalizer holds a copy says so on its Secret, which waits.
func TestDeregisterReportsHeldCopy(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	member := w.members["eu-west-prod"]
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectDerived(t, "eu-west-prod", "api-health")
	member.Patch(t, w.canaries, "api-health", `{"metadata":{"finalizers":["example.com/hold"]}}`)
	w.hub.Deregister(t, w.namespace, "eu-west-prod")
	w.expectSecretEvent(t, "eu-west-prod", "Terminating", "(example.com/hold)")
	member.Patch(t, w.canaries, "api-health", `{"metadata":{"finalizers":null}}`)
	w.expectSecretGone(t, "eu-west-prod")
	w.expectHolders(t, "api-health")
}

// labelled returns a parent with a label and an annotation of its own.
func (w *world) labelled(name string) *unstructured.Unstructured {
	parent := w.canary(name, "*")
	parent.SetLabels(map[string]string{"team": "payments"})
	parent.SetAnnotations(map[string]string{"owner": "sre"})
	return parent
}

// strip is a patch that takes an annotation away.
func strip(annotation string) string {
	return fmt.Sprintf(`{"metadata":{"annotations":{%q:null}}}`, annotation)
}

// substanceOf returns all that somebody may have set, and which object it is, without what the API server keeps account of.
func substanceOf(canary *unstructured.Unstructured) map[string]any {
	canary = canary.DeepCopy()
	return map[string]any{
		"uid": canary.GetUID(), "labels": canary.GetLabels(), "annotations": canary.GetAnnotations(), "finalizers": canary.GetFinalizers(),
		"owners": canary.GetOwnerReferences(), "spec": canary.Object["spec"], "status": canary.Object["status"],
	}
}

// fanoutWrites returns fanout's own writes of this test's Canaries in agent's cluster, by name, accepted or not.
func (w *world) fanoutWrites(t *testing.T, agent string) map[string][]controlplane.Write {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all, err := w.members[agent].AuditedWrites(ctx)
	if err != nil {
		t.Fatal(err)
	}
	writes := map[string][]controlplane.Write{}
	for _, write := range all {
		if write.Resource == "canaries" && write.Namespace == w.canaries && write.User == "fanout" {
			writes[write.Name] = append(writes[write.Name], write)
		}
	}
	return writes
}
