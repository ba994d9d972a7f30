package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/test/fixture"
)

// The tests in this file run beside a stand-in for canary-checker, or a real one: make test-canary-checker.

// Forty copies, in a member with canary-checker, under a hub with canary-checker: each is written once, nothing is restored,
// and nobody is told of any trouble. An edit is one write more.
func TestCheckerLeavesCopiesInPeace(t *testing.T) {
	const copies = 40
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	controller := w.startFanout(t, "--resync-period=1s")
	for _, cluster := range []*fixture.Cluster{w.hub, w.members["eu-west-prod"]} {
		cluster.StartChecker(t)
	}
	w.hub.Namespace(t, w.canaries)
	target := w.target(t)
	var parents []*unstructured.Unstructured
	for i := range copies {
		parent := w.checked(fmt.Sprintf("check-%d", i), target)
		parents = append(parents, parent)
		if _, err := w.hub.Canaries(w.canaries).Create(t.Context(), parent, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
			t.Fatal(err)
		}
	}
	w.expectPeace(t, controller, parents, 1)

	t.Log("edited")
	for _, parent := range parents {
		w.hub.Patch(t, w.canaries, parent.GetName(), `{"spec":{"schedule":"@every 2h"}}`)
	}
	w.expectPeace(t, controller, parents, 2)

	t.Log("looked at by another fanout, several times")
	controller.Stop(t)
	controller = w.startFanout(t, "--resync-period=300ms")
	w.goThrough(t, "after")
	w.expectPeace(t, controller, parents, 2)

	t.Log("deleted, with canary-checker's finalizer on each")
	for _, parent := range parents {
		w.hub.Delete(t, w.canaries, parent.GetName())
	}
	for _, parent := range parents {
		w.expectHolders(t, parent.GetName())
	}
}

// expectPeace waits until canary-checker has done its part on all of them, and fails if fanout wrote any otherwise than so many
// times in each member, restored any, failed at any, or had anything to say.
func (w *world) expectPeace(t *testing.T, controller *fixture.Fanout, parents []*unstructured.Unstructured, writes int) {
	t.Helper()
	for _, parent := range parents {
		w.hub.EventuallyChecked(t, w.canaries, parent.GetName())
		w.members["eu-west-prod"].EventuallyChecked(t, w.canaries, parent.GetName())
		for _, agent := range []string{"eu-west-prod", "us-east-prod"} {
			w.expectDerived(t, agent, parent.GetName())
		}
	}
	for _, agent := range []string{"eu-west-prod", "us-east-prod"} {
		all := w.fanoutWrites(t, agent)
		for _, parent := range parents {
			if made := accepted(all[parent.GetName()]); len(made) != writes {
				t.Errorf("%s was written %d times in %s, not %d: %v", parent.GetName(), len(made), agent, writes, made)
			}
		}
	}
	if restored := controller.Metric(t, "fanout_writes_total", "action", "restored"); restored != 0 {
		t.Errorf("%v copies were restored", restored)
	}
	if contested := controller.Metric(t, "fanout_sync_errors_total", "reason", "Contested"); contested != 0 {
		t.Errorf("%v copies were contested", contested)
	}
	events, err := w.hub.Kube.CoreV1().Events(w.canaries).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range events.Items {
		isOne := func(parent *unstructured.Unstructured) bool { return parent.GetName() == event.InvolvedObject.Name }
		if event.Source.Component == "fanout" && event.Reason != "InSync" && slices.ContainsFunc(parents, isOne) {
			t.Errorf("%s is told %s: %s", event.InvolvedObject.Name, event.Reason, event.Message)
		}
	}
}

// What a person changes in a copy is put back beside canary-checker too, from the first moment of the copy's life on, and a
// list that the parent takes away goes, even where that is the first edit.
func TestCheckerKeepsNothingFromBeingPutRight(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	controller := w.startFanout(t)
	member := w.members["eu-west-prod"]
	member.StartChecker(t)
	target := w.target(t)
	drift := `{"spec":{"http":[{"name":"front-page","url":"http://elsewhere.invalid/"}]}}`
	for _, row := range []struct {
		name string
		from func(copied *unstructured.Unstructured) error // when the person comes
	}{
		{"when-it-was-created", func(copied *unstructured.Unstructured) error { return nil }},
		{"after-the-round-trip", func(copied *unstructured.Unstructured) error {
			if len(copied.GetFinalizers()) == 0 {
				return fmt.Errorf("it has no finalizer")
			}
			return nil
		}},
		{"after-the-first-run", fixture.IsChecked},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.hub.Apply(t, w.checked(row.name, target))
			fixture.EventuallyWithin(t, fixture.CheckerPatience, "the time has come", func() error {
				copied := member.Get(t, w.canaries, row.name)
				if copied == nil {
					return fmt.Errorf("there is no copy")
				}
				return row.from(copied)
			})
			member.Patch(t, w.canaries, row.name, drift)
			w.expectDerived(t, "eu-west-prod", row.name)
			member.EventuallyChecked(t, w.canaries, row.name)
			w.expectDerived(t, "eu-west-prod", row.name)

			w.hub.Patch(t, w.canaries, row.name, fmt.Sprintf(`{"spec":{"http":null,"tcp":[{"name":"port","endpoint":%q}]}}`, target[len("http://"):]))
			w.expectDerived(t, "eu-west-prod", row.name)
			if _, still := member.Get(t, w.canaries, row.name).Object["spec"].(map[string]any)["http"]; still {
				t.Error("the old checks are still there")
			}
		})
	}
	t.Run("taken away by the first edit", func(t *testing.T) {
		w.hub.Apply(t, w.checked("first-edit", target))
		member.EventuallyChecked(t, w.canaries, "first-edit")
		w.hub.Patch(t, w.canaries, "first-edit", `{"spec":{"http":null,"dns":[{"name":"name","query":"localhost"}]}}`)
		copied := w.expectDerived(t, "eu-west-prod", "first-edit")
		if _, still := copied.Object["spec"].(map[string]any)["http"]; still {
			t.Error("the old checks are still there")
		}
		fixture.Eventually(t, "canary-checker has followed", func() error {
			checks, _, _ := unstructured.NestedStringMap(member.Get(t, w.canaries, "first-edit").Object, "status", "checks")
			if _, follows := checks["name"]; !follows || len(checks) != 1 {
				return fmt.Errorf("it has %v", checks)
			}
			return nil
		})
	})
	if contested := controller.Metric(t, "fanout_sync_errors_total", "reason", "Contested"); contested != 0 {
		t.Errorf("%v copies were contested", contested)
	}
}

// A canary-checker that is installed when the copies have stood for long, and somebody has added to them, takes all of that
// over. It writes to nothing of fanout's for that, and what was added stays.
func TestCheckerComesLater(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	controller := w.startFanout(t)
	member := w.members["eu-west-prod"]
	target := w.target(t)
	w.hub.Apply(t, w.checked("api-health", target))
	w.expectDerived(t, "eu-west-prod", "api-health")
	member.Patch(t, w.canaries, "api-health", fmt.Sprintf(`{"spec":{"owner":"somebody","tcp":[{"name":"theirs","endpoint":%q}]}}`, target[len("http://"):]))
	stop := member.StartChecker(t)
	member.EventuallyChecked(t, w.canaries, "api-health")
	w.goThrough(t, "after")
	if made := accepted(w.fanoutWrites(t, "eu-west-prod")["api-health"]); len(made) != 1 {
		t.Errorf("it was written %d times: %v", len(made), made)
	}

	t.Log("an edit takes away what fanout set, and nothing else")
	w.hub.Patch(t, w.canaries, "api-health", `{"spec":{"http":null,"dns":[{"name":"name","query":"localhost"}]}}`)
	fixture.Eventually(t, "it is gone", func() error {
		spec := member.Get(t, w.canaries, "api-health").Object["spec"].(map[string]any)
		if spec["http"] != nil || spec["dns"] == nil || spec["owner"] != "somebody" || asList(spec["tcp"]) == nil {
			return fmt.Errorf("the copy is %v", spec)
		}
		return nil
	})
	if contested := controller.Metric(t, "fanout_sync_errors_total", "reason", "Contested"); contested != 0 {
		t.Errorf("%v copies were contested", contested)
	}

	t.Log("while canary-checker is away nothing lets a deleted copy go, and when it is back it does")
	stop()
	w.hub.Delete(t, w.canaries, "api-health")
	fixture.Eventually(t, "it is being deleted", func() error {
		if member.Get(t, w.canaries, "api-health").GetDeletionTimestamp() == nil {
			return fmt.Errorf("it is not")
		}
		return nil
	})
	member.StartChecker(t)
	fixture.EventuallyWithin(t, fixture.CheckerPatience, "it is gone", func() error {
		if member.Get(t, w.canaries, "api-health") != nil {
			return fmt.Errorf("it is not")
		}
		return nil
	})
}

// target is a server that checks can reach.
func (w *world) target(t *testing.T) (url string) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	return server.URL
}

// checked returns a parent that canary-checker can run. That is once: a schedule that is due within the test would tell nothing.
func (w *world) checked(name, target string) *unstructured.Unstructured {
	parent := w.canary(name, "*")
	parent.Object["spec"] = map[string]any{
		"schedule": "@every 1h", "agentSelector": []any{"*"},
		"http": []any{map[string]any{"name": "front-page", "url": target, "responseCodes": []any{int64(200)}}},
	}
	return parent
}
