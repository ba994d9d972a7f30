package integration

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"fanout/test/fixture"
)

// What is not fanout's stays as it is, to the version, until its owner hands it over.
func TestStrangersObjectStays(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	strange := fixture.Canary(w.canaries, "api-health")
	strange.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "Helm"})
	before := w.members["eu-west-prod"].Apply(t, strange)
	w.startFanout(t, "--resync-period=500ms")

	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectDerived(t, "us-east-prod", "api-health")
	w.expectEvent(t, w.canaries, "api-health", "Conflict", `agent "eu-west-prod"`)
	w.hub.Delete(t, w.canaries, "api-health")
	w.expectHolders(t, "api-health", "eu-west-prod")
	after := w.members["eu-west-prod"].Get(t, w.canaries, "api-health")
	if after.GetUID() != before.GetUID() || after.GetResourceVersion() != before.GetResourceVersion() {
		t.Errorf("it was written: %s at %s is %s at %s", before.GetUID(), before.GetResourceVersion(), after.GetUID(), after.GetResourceVersion())
	}
}

func TestAdoption(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	member := w.members["eu-west-prod"]
	strange := fixture.Canary(w.canaries, "api-health")
	strange.SetAnnotations(map[string]string{"fanout.flanksource.com/adopt": "true"})
	before := member.Apply(t, strange)
	w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*"))
	adopted := w.expectDerived(t, "eu-west-prod", "api-health")
	if adopted.GetUID() != before.GetUID() {
		t.Error("it was replaced, not adopted")
	}
	fixture.Eventually(t, "the request for adoption is consumed", func() error {
		_, left := member.Get(t, w.canaries, "api-health").GetAnnotations()["fanout.flanksource.com/adopt"]
		return fixture.Same("its presence", left, false)
	})
	w.hub.Delete(t, w.canaries, "api-health")
	w.expectHolders(t, "api-health")
}

// An edited or deleted copy is put back; what others add stays.
func TestDriftIsPutBack(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	member := w.members["eu-west-prod"]
	parent := w.canary("api-health", "*")
	parent.SetLabels(map[string]string{"team": "payments"})
	parent.SetAnnotations(map[string]string{"owner": "sre", "next-runtime": "2026-01-01T00:00:00Z"})
	w.hub.Apply(t, parent)
	w.expectDerived(t, "eu-west-prod", "api-health")

	for _, drift := range []struct{ name, patch string }{
		{"a field", `{"spec":{"schedule":"@every 9h"}}`},
		{"an element of a list", `{"spec":{"http":[{"name":"api","url":"http://elsewhere"}]}}`},
		{"a label", `{"metadata":{"labels":{"team":"nobody"}}}`},
		{"a label removed", `{"metadata":{"labels":{"app.kubernetes.io/managed-by":null}}}`},
		{"all annotations removed", `{"metadata":{"annotations":null}}`},
		{"the spec removed", `{"spec":null}`},
	} {
		t.Log(drift.name)
		before := member.Get(t, w.canaries, "api-health").GetResourceVersion()
		member.Patch(t, w.canaries, "api-health", drift.patch)
		fixture.Eventually(t, "the edit took place", func() error {
			if member.Get(t, w.canaries, "api-health").GetResourceVersion() == before {
				return fmt.Errorf("nothing changed")
			}
			return nil
		})
		w.expectDerived(t, "eu-west-prod", "api-health")
		// New content, so that the next drift is not taken for the same writer's.
		parent.SetLabels(map[string]string{"team": "payments", "after": fmt.Sprint(len(drift.name))})
		w.hub.Apply(t, parent)
		w.expectDerived(t, "eu-west-prod", "api-health")
	}

	t.Log("deleted")
	gone := member.Get(t, w.canaries, "api-health").GetUID()
	member.Delete(t, w.canaries, "api-health")
	fixture.Eventually(t, "it is created again", func() error {
		if now := member.Get(t, w.canaries, "api-health"); now == nil || now.GetUID() == gone {
			return fmt.Errorf("it is not")
		}
		return nil
	})

	t.Log("added by others")
	member.Patch(t, w.canaries, "api-health", `{"metadata":{"finalizers":["example.com/hold"],"annotations":{"seen-by":"kyverno"}},"spec":{"severity":"low"}}`)
	if _, err := member.Canaries(w.canaries).Patch(t.Context(), "api-health", types.MergePatchType,
		[]byte(`{"status":{"message":"ran"}}`), metav1.PatchOptions{FieldManager: "canary-checker"}, "status"); err != nil {
		t.Fatal(err)
	}
	parent.Object["spec"].(map[string]any)["schedule"] = "@every 7m"
	w.hub.Apply(t, parent)
	fixture.Eventually(t, "the edit arrived and the rest stayed", func() error {
		copied := member.Get(t, w.canaries, "api-health")
		spec := copied.Object["spec"].(map[string]any)
		status, _ := copied.Object["status"].(map[string]any)
		return fixture.Same("it", []any{spec["schedule"], spec["severity"], copied.GetAnnotations()["seen-by"], copied.GetFinalizers(), status["message"]},
			[]any{"@every 7m", "low", "kyverno", []string{"example.com/hold"}, "ran"})
	})

	t.Log("deleted while a finalizer holds it")
	member.Delete(t, w.canaries, "api-health")
	w.hub.Delete(t, w.canaries, "api-health")
	member.Patch(t, w.canaries, "api-health", `{"metadata":{"finalizers":null}}`)
	w.expectHolders(t, "api-health")
}
