package integration

import (
	"fmt"
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/fanout/derive"
	"fanout/test/controlplane"
	"fanout/test/fixture"
)

// What the tests here do by hand is what canary-checker does to a new Canary; checker_test.go has it done by canary-checker.

// A round trip is no drift: nothing is written because of it, at a resync neither. What comes with it in one write is put
// back, and so is what a person does to an empty object.
func TestARoundTripIsNoDrift(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	controller := w.startFanout(t, "--resync-period=300ms", "--orphan-sweep-period=1s")
	member := w.members["eu-west-prod"]
	for _, row := range []struct {
		name    string
		manager string
		change  func(spec map[string]any)
		// drift means that it is put back.
		drift bool
	}{
		{"round-trip", "canary-checker", addEmpty, false},
		{"with-nulls", "canary-checker", func(spec map[string]any) { checkIn(spec)["labels"] = nil; addEmpty(spec) }, false},
		{"webhook", "canary-checker", func(spec map[string]any) {
			addEmpty(spec)
			spec["webhook"].(map[string]any)["display"] = map[string]any{}
		}, false},
		{"with-an-edit", "canary-checker", func(spec map[string]any) { addEmpty(spec); checkIn(spec)["url"] = "http://elsewhere" }, true},
		{"with-a-field-less", "canary-checker", func(spec map[string]any) { addEmpty(spec); delete(checkIn(spec), "responseCodes") }, true},
		{"with-a-list-less", "canary-checker", func(spec map[string]any) { addEmpty(spec); delete(spec, "http") }, true},
		{"with-a-schedule", "canary-checker", func(spec map[string]any) { addEmpty(spec); spec["schedule"] = "@every 9h" }, true},
		{"a-persons-edit", "kubectl-edit", func(spec map[string]any) { checkIn(spec)["url"] = "http://elsewhere" }, true},
		{"a-persons-empty-object", "kubectl-edit", func(spec map[string]any) { checkIn(spec)["transform"] = map[string]any{} }, true},
		{"without-an-empty-object", "kubectl-edit", func(spec map[string]any) { delete(checkIn(spec), "test") }, true},
		{"without-an-empty-object-of-the-spec", "kubectl-edit", func(spec map[string]any) { delete(spec, "retries") }, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			parent := w.canary(row.name, "*")
			spec := parent.Object["spec"].(map[string]any)
			checkIn(spec)["test"] = map[string]any{}
			spec["retries"] = map[string]any{}
			spec["webhook"] = map[string]any{"name": "hook"}
			w.hub.Apply(t, parent)
			first := w.expectDerived(t, "eu-west-prod", row.name)
			restored := controller.Metric(t, "fanout_writes_total", "action", "restored")

			changed := first.DeepCopy()
			row.change(changed.Object["spec"].(map[string]any))
			changed = w.update(t, member, changed, row.manager)
			if changed.GetGeneration() == first.GetGeneration() {
				t.Fatal("the update changed nothing")
			}
			if row.drift {
				fixture.Eventually(t, "it is put back", func() error {
					return fixture.Same("spec", member.Get(t, w.canaries, row.name).Object["spec"], first.Object["spec"])
				})
				fixture.Eventually(t, "that is counted", func() error {
					return fixture.Same("restored", controller.Metric(t, "fanout_writes_total", "action", "restored"), restored+1)
				})
			}
			settled := member.Get(t, w.canaries, row.name)
			w.goThrough(t, row.name+"-after")
			expectUnchanged(t, member, settled)
			if writes := accepted(w.fanoutWrites(t, "eu-west-prod")[row.name]); len(writes) != 1 && !row.drift {
				t.Errorf("fanout wrote it %d times: %v", len(writes), writes)
			}
			w.expectNoEvent(t, w.canaries, row.name, "Contested", "")
		})
	}
}

// The hub's canary-checker does the same to parents, which reaches no member. What a person does there to an empty object
// does, and so does everything that is sent.
func TestARoundTripInTheHubReachesNoMember(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t, "--resync-period=300ms")
	member := w.members["eu-west-prod"]
	parent := w.canary("api-health", "*")
	w.hub.Apply(t, parent)
	first := w.expectDerived(t, "eu-west-prod", "api-health")

	t.Log("a round trip")
	live := w.hub.Get(t, w.canaries, "api-health")
	addEmpty(live.Object["spec"].(map[string]any))
	w.update(t, w.hub, live, "canary-checker")
	w.goThrough(t, "after-the-round-trip")
	expectUnchanged(t, member, first)

	t.Log("a member that comes later is sent what stands in the hub")
	w.register(t, "us-east-prod")
	w.expectDerived(t, "us-east-prod", "api-health")

	t.Log("so it is after an edit, in one write")
	w.hub.Patch(t, w.canaries, "api-health", `{"spec":{"schedule":"@every 7m"}}`)
	w.expectDerived(t, "eu-west-prod", "api-health")
	if writes := accepted(w.fanoutWrites(t, "eu-west-prod")["api-health"]); len(writes) != 2 {
		t.Errorf("it was written %d times: %v", len(writes), writes)
	}

	t.Log("a person gives a check an empty object, and takes it away again")
	for _, change := range []func(map[string]any){
		func(check map[string]any) { check["labels"] = map[string]any{} },
		func(check map[string]any) { delete(check, "labels") },
		func(check map[string]any) { delete(check, "test") },
	} {
		live := w.hub.Get(t, w.canaries, "api-health")
		check := checkIn(live.Object["spec"].(map[string]any))
		change(check)
		before := member.Get(t, w.canaries, "api-health")
		if w.update(t, w.hub, live, "kubectl-edit").GetGeneration() == live.GetGeneration() {
			t.Fatal("the edit changed nothing")
		}
		if after := w.expectDerived(t, "eu-west-prod", "api-health"); after.GetGeneration() == before.GetGeneration() {
			t.Error("it reached no member")
		}
	}
}

// What an edit of the parent takes away goes, whoever wrote to it last, and what others added stays.
func TestWhatAnEditTakesAwayGoes(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	member := w.members["eu-west-prod"]
	roundTrip := func(t *testing.T, copied *unstructured.Unstructured) {
		addEmpty(copied.Object["spec"].(map[string]any))
		copied.Object["spec"].(map[string]any)["webhook"].(map[string]any)["display"] = map[string]any{}
		w.update(t, member, copied, "canary-checker")
	}
	applySame := func(t *testing.T, copied *unstructured.Unstructured) {
		same := w.canary(copied.GetName())
		same.Object["spec"] = map[string]any{"http": copied.Object["spec"].(map[string]any)["http"]}
		member.Apply(t, same)
	}
	add := func(t *testing.T, copied *unstructured.Unstructured) {
		copied.Object["spec"].(map[string]any)["exec"] = []any{map[string]any{"name": "theirs", "script": "true"}}
		copied.Object["spec"].(map[string]any)["env"].(map[string]any)["THEIRS"] = map[string]any{"value": "x"}
		w.update(t, member, copied, "kubectl-edit")
	}
	for _, row := range []struct {
		name   string
		before []func(*testing.T, *unstructured.Unstructured)
		adds   bool
		writes int // of fanout's after the edit
	}{
		{"as-applied", nil, false, 1},
		{"after-a-round-trip", []func(*testing.T, *unstructured.Unstructured){roundTrip}, false, 2},
		{"after-another-applied-the-same", []func(*testing.T, *unstructured.Unstructured){applySame}, false, 2},
		{"after-an-addition", []func(*testing.T, *unstructured.Unstructured){add}, true, 1},
		{"round-trip-and-addition", []func(*testing.T, *unstructured.Unstructured){roundTrip, add}, true, 2},
		{"addition-and-round-trip", []func(*testing.T, *unstructured.Unstructured){add, roundTrip}, true, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			parent := w.canary(row.name, "*")
			spec := parent.Object["spec"].(map[string]any)
			spec["webhook"] = map[string]any{"name": "hook"}
			spec["env"] = map[string]any{"OURS": map[string]any{"value": "y"}}
			w.hub.Apply(t, parent)
			first := w.expectDerived(t, "eu-west-prod", row.name)
			for _, do := range row.before {
				do(t, member.Get(t, w.canaries, row.name))
			}
			w.goThrough(t, row.name+"-before")
			written := len(w.fanoutWrites(t, "eu-west-prod")[row.name])

			edited := w.canary(row.name, "*")
			delete(edited.Object["spec"].(map[string]any), "http")
			edited.Object["spec"].(map[string]any)["tcp"] = []any{map[string]any{"name": "port", "endpoint": "api.default.svc:8080"}}
			w.hub.Apply(t, edited)
			want := map[string]any{"schedule": "@every 30s", "replicas": int64(1), "tcp": edited.Object["spec"].(map[string]any)["tcp"]}
			if row.adds {
				want["exec"] = []any{map[string]any{"name": "theirs", "script": "true"}}
				want["env"] = map[string]any{"THEIRS": map[string]any{"value": "x"}}
			}
			fixture.Eventually(t, "what the edit took away is gone, and nothing else", func() error {
				now := member.Get(t, w.canaries, row.name)
				if now.GetUID() != first.GetUID() {
					t.Fatal("it is another object")
				}
				got := now.DeepCopy().Object["spec"].(map[string]any)
				for _, check := range asList(got["exec"]) { // the round trip was theirs to suffer, too
					for _, empty := range []string{"display", "test", "transform"} {
						delete(check.(map[string]any), empty)
					}
				}
				return fixture.Same("spec", got, want)
			})
			if writes := w.fanoutWrites(t, "eu-west-prod")[row.name][written:]; len(writes) != row.writes {
				t.Errorf("fanout wrote it %d times: %v", len(writes), writes)
			}
			settled := member.Get(t, w.canaries, row.name)
			w.goThrough(t, row.name+"-after")
			expectUnchanged(t, member, settled)
		})
	}
}

// checkIn is the first http check of a spec.
func checkIn(spec map[string]any) map[string]any { return asList(spec["http"])[0].(map[string]any) }

func asList(value any) []any {
	list, _ := value.([]any)
	return list
}

// addEmpty does to a spec's lists of checks what canary-checker's round trip does to an http check.
func addEmpty(spec map[string]any) {
	for _, kind := range []string{"http", "exec"} {
		for _, check := range asList(spec[kind]) {
			for _, empty := range []string{"display", "test", "transform"} {
				check.(map[string]any)[empty] = map[string]any{}
			}
		}
	}
}

// update writes the whole object, as a client with types of its own does.
func (w *world) update(t *testing.T, cluster *fixture.Cluster, canary *unstructured.Unstructured, manager string) *unstructured.Unstructured {
	t.Helper()
	canaries := cluster.Dynamic.Resource(derive.Canaries).Namespace(canary.GetNamespace())
	updated, err := canaries.Update(t.Context(), canary, metav1.UpdateOptions{FieldManager: manager})
	for apierrors.IsConflict(err) { // with a status: nobody else writes the rest
		canary.SetResourceVersion(cluster.Get(t, canary.GetNamespace(), canary.GetName()).GetResourceVersion())
		updated, err = canaries.Update(t.Context(), canary, metav1.UpdateOptions{FieldManager: manager})
	}
	if err != nil {
		t.Fatalf("update %s in %s as %s: %v", canary.GetName(), cluster.Name, manager, err)
	}
	return updated
}

// accepted leaves out what was refused: the first write into a namespace that is not there yet.
func accepted(writes []controlplane.Write) []controlplane.Write {
	return slices.DeleteFunc(writes, func(write controlplane.Write) bool { return write.Code >= 300 })
}

// goThrough sends two more Canaries of that name through, one after the other: what came before them has been looked at then,
// and where the resync is short, by it as well.
func (w *world) goThrough(t *testing.T, name string) {
	t.Helper()
	for i := range 2 {
		last := fmt.Sprintf("%s-%d", name, i)
		w.hub.Apply(t, w.canary(last, "*"))
		w.expectDerived(t, "eu-west-prod", last)
	}
}
