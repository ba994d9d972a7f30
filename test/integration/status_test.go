package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/results"
	"fanout/test/fixture"
)

// What pkg/results makes is taken by an API server as it is, and is written once: also into the status of a Canary that
// canary-checker ran before it became a parent, with its own in the hub at work.
func TestAggregatedStatusIsTakenAsItIs(t *testing.T) {
	w := newWorld(t)
	w.hub.Namespace(t, w.canaries)
	w.hub.StartChecker(t)
	canary := w.canary("api-health")
	canary.Object["spec"].(map[string]any)["http"] = []any{map[string]any{"name": "api", "url": "http://127.0.0.1:1/"}}
	canary.Object["spec"].(map[string]any)["schedule"] = "@every 1s"
	w.hub.Apply(t, canary)
	fixture.EventuallyWithin(t, fixture.CheckerPatience, "it fails in the hub", func() error {
		if got := outcome(w.hub.Get(t, w.canaries, "api-health")); got != "Failed" {
			return fmt.Errorf("it is %q", got)
		}
		return nil
	})
	fixture.Select(canary, "*-prod")
	w.hub.Apply(t, canary)
	w.hub.EventuallyChecked(t, w.canaries, "api-health") // its last run has ended, and the rest of the status is fanout's

	hostile := strings.Repeat("\x1b[2J\u202e<script>\"\\\xff", 60_000)
	now := time.Now()
	passed := func(string) map[string]any {
		return map[string]any{"status": "Passed", "lastCheck": now.Format(time.RFC3339), "uptime1h": "3/3 (100.0%)", "latency1h": "3ms"}
	}
	failed := func(err string) map[string]any {
		return map[string]any{"status": "Failed", "errorMessage": err, "message": err, "lastCheck": "9999-12-31T23:59:59-23:59", "lastTransitionedTime": err, "uptime1h": err}
	}
	for _, row := range []struct {
		name   string
		count  int
		status func(err string) map[string]any
	}{{"none", 0, nil}, {"all pass", 3, passed}, {"all are hostile", 3, failed}, {"2,000 pass", 2000, passed}, {"2,000 are hostile", 2000, failed}, {"none any more", 0, nil}, {"all pass again", 3, passed}} {
		parent := results.ReadParent(canary.Object)
		before := w.hub.Get(t, w.canaries, "api-health")
		var reader results.Reader
		var agents []results.Agent
		for i := range row.count {
			result := reader.Read(row.status(hostile), results.Result{}, now)
			agents = append(agents, results.Agent{Name: fmt.Sprintf("region-%d-cluster-%04d-prod", i%7, i), HasCopy: true, Result: result})
		}
		made := results.Aggregate(parent, agents, results.ReadShown(before.Object["status"]), now)
		after := w.applyStatus(t, before, &made)

		shown := results.ReadShown(after.Object["status"])
		shown.Generation = made.Shown.Generation
		if diff := cmp.Diff(made.Shown, shown); diff != "" {
			t.Errorf("%s: the hub holds something else than was made (-want +got):\n%s", row.name, diff)
		}
		if again := w.applyStatus(t, after, &made); again.GetResourceVersion() != after.GetResourceVersion() {
			t.Errorf("%s: applying it again is a write", row.name)
		}
		text, err := json.Marshal(after)
		if err != nil {
			t.Fatal(err)
		}
		spare := 4 << 10 // for what is not of the status
		if t.Logf("%s: the whole object is %d bytes", row.name, len(text)); len(text) > results.MaxSize+spare {
			t.Errorf("%s: the object is %d bytes", row.name, len(text))
		}
		entries, _, _ := unstructured.NestedMap(after.Object, "status", "checkStatus")
		if len(entries) != len(made.Status["checkStatus"].(map[string]any)) || made.Leftovers(after.Object["status"]) != nil {
			t.Errorf("%s: of what was there before there is left: %v", row.name, made.Leftovers(after.Object["status"]))
		}
		for _, field := range checkers {
			was, _, _ := unstructured.NestedFieldNoCopy(before.Object, "status", field)
			is, _, _ := unstructured.NestedFieldNoCopy(after.Object, "status", field)
			if was == nil || !cmp.Equal(was, is) {
				t.Errorf("%s: %s, which is canary-checker's, was %v and is %v", row.name, field, was, is)
			}
		}
	}

	t.Log("it is no parent any more")
	last := w.hub.Get(t, w.canaries, "api-health")
	left := w.patchStatus(t, "api-health", results.Farewell(last.Object["status"])).Object["status"].(map[string]any)
	if again := results.Farewell(left); again != nil {
		t.Errorf("when all that is fanout's has gone, this is to go: %v", again)
	}
	for field, value := range left {
		if !slices.Contains(checkers, field) && !cmp.Equal(value, any(map[string]any{})) {
			t.Errorf("%s is left: %v", field, value)
		}
	}
}

// checkers are the fields of a parent's status that a canary-checker in the hub writes.
var checkers = []string{"checks", "observedGeneration", "replicas"}

// patchStatus patches a parent's status as fanout.
func (w *world) patchStatus(t *testing.T, name string, status map[string]any) *unstructured.Unstructured {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.hub.Canaries(w.canaries).Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "fanout"}, "status")
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// applyStatus applies a status to a parent as fanout, when what is not to stay there is gone.
func (w *world) applyStatus(t *testing.T, parent *unstructured.Unstructured, made *results.Aggregated) *unstructured.Unstructured {
	t.Helper()
	if leftovers := made.Leftovers(parent.Object["status"]); leftovers != nil {
		w.patchStatus(t, parent.GetName(), leftovers)
	}
	applied := &unstructured.Unstructured{Object: map[string]any{"status": made.Status}}
	applied.SetGroupVersionKind(parent.GroupVersionKind())
	applied.SetNamespace(parent.GetNamespace())
	applied.SetName(parent.GetName())
	answer, err := w.hub.Canaries(w.canaries).ApplyStatus(t.Context(), parent.GetName(), applied, metav1.ApplyOptions{FieldManager: "fanout", Force: true})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
