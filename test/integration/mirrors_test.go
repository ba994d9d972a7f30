package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/fanout/derive"
	"fanout/test/fixture"
)

const mirrorLabel = "fanout.flanksource.com/mirror"

// expectMirrors waits until the hub has these mirrors and no others.
func (w *world) expectMirrors(t *testing.T, want ...string) {
	t.Helper()
	fixture.Eventually(t, fmt.Sprintf("the mirrors are %v", want), func() error {
		list, err := w.hub.Canaries(w.canaries).List(t.Context(), metav1.ListOptions{LabelSelector: mirrorLabel})
		if err != nil {
			return err
		}
		got := []string{}
		for _, item := range list.Items {
			got = append(got, item.GetName())
		}
		return fixture.Same("they", got, append([]string{}, want...))
	})
}

// expectMirror waits until a mirror says that, and returns it.
func (w *world) expectMirror(t *testing.T, name, status, message string) *unstructured.Unstructured {
	t.Helper()
	var mirror *unstructured.Unstructured
	fixture.Eventually(t, fmt.Sprintf("%s is %s: %s", name, status, message), func() error {
		if mirror = w.hub.Get(t, w.canaries, name); mirror == nil {
			return fmt.Errorf("there is none")
		}
		said, _, _ := unstructured.NestedString(mirror.Object, "status", "status")
		text, _, _ := unstructured.NestedString(mirror.Object, "status", "message")
		if said != status || !strings.HasPrefix(text, message) {
			return fmt.Errorf("it is %s: %s", said, text)
		}
		return nil
	})
	return mirror
}

// Each copy has a mirror in the hub that shows how it fares, that nobody runs or pushes, and that goes with its origin.
func TestMirrors(t *testing.T) {
	w := newWorld(t, agents...)
	controller := w.startFanout(t, "--mirror")
	w.hub.StartChecker(t)
	parent := w.hourly("api-health", "*", "local")
	parent.SetLabels(map[string]string{"team": "payments", "argocd.argoproj.io/instance": "x"})
	w.hub.Apply(t, parent)
	w.expectMirrors(t, "api-health.ap-south-dev", "api-health.eu-west-prod", "api-health.us-east-prod")
	mirror := w.expectMirror(t, "api-health.eu-west-prod", "Pending", "Pending")
	if err := fixture.Same("the spec", mirror.Object["spec"], map[string]any{"replicas": 0, "schedule": "@every 1h"}); err != nil {
		t.Error(err)
	}
	labels, owners := mirror.GetLabels(), mirror.GetOwnerReferences()
	if labels["team"] != "payments" || len(labels) != 3 || mirror.GetAnnotations()["suspend"] != "true" || len(owners) != 1 || owners[0].UID != w.hub.Get(t, w.canaries, "api-health").GetUID() {
		t.Errorf("%v, %v, %v", labels, mirror.GetAnnotations(), owners)
	}

	t.Log("results")
	w.expectDerived(t, "eu-west-prod", "api-health")
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Failing(time.Now(), "expected 500 to be in [200]"))
	mirror = w.expectMirror(t, "api-health.eu-west-prod", "Failed", "Failed")
	for field, want := range map[string]string{"errorMessage": "expected 500 to be in [200]", "uptime1h": "11/12 (91.7%)", "latency1h": "7ms"} {
		if got, _, _ := unstructured.NestedString(mirror.Object, "status", field); got != want {
			t.Errorf("%s is %q", field, got)
		}
	}
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Passing(time.Now()))
	mirror = w.expectMirror(t, "api-health.eu-west-prod", "Passed", "Passed")
	if _, found, _ := unstructured.NestedString(mirror.Object, "status", "errorMessage"); found {
		t.Errorf("the error stays: %v", mirror.Object["status"])
	}

	t.Log("edited, deleted, given a selector: put back")
	w.hub.Patch(t, w.canaries, "api-health.eu-west-prod", `{"metadata":{"annotations":{"suspend":null,"fanout.flanksource.com/agent":"x"},"labels":{"mine":"too"}},"spec":{"replicas":1,"agentSelector":["*"],"http":[{"name":"a","url":"http://localhost"}]}}`)
	fixture.Eventually(t, "it is as before", func() error {
		mirror := w.hub.Get(t, w.canaries, "api-health.eu-west-prod")
		if mirror == nil || mirror.GetAnnotations()["suspend"] != "true" || mirror.GetAnnotations()["fanout.flanksource.com/agent"] != "eu-west-prod" {
			return fmt.Errorf("it is %v", mirror)
		}
		return fixture.Same("the spec", mirror.Object["spec"], map[string]any{"replicas": 0, "schedule": "@every 1h"})
	})
	before := w.hub.Get(t, w.canaries, "api-health.us-east-prod").GetUID()
	w.hub.Delete(t, w.canaries, "api-health.us-east-prod")
	fixture.Eventually(t, "it is there again", func() error {
		if mirror := w.hub.Get(t, w.canaries, "api-health.us-east-prod"); mirror == nil || mirror.GetUID() == before {
			return fmt.Errorf("it is %v", mirror)
		}
		return nil
	})
	w.expectHolders(t, "api-health.eu-west-prod")
	if all, err := controller.API(t).Canaries(t.Context(), w.canaries); err != nil || len(all.Items) != 1 {
		t.Errorf("%v: a mirror is taken for a parent: %+v", err, all)
	}

	t.Log("a stranger where one should stand")
	stranger := w.canary("other.eu-west-prod")
	w.hub.Apply(t, stranger)
	w.hub.Apply(t, w.hourly("other", "eu-*"))
	w.expectEvent(t, w.canaries, "other", "MirrorConflict", "eu-west-prod")
	if err := fixture.Same("the stranger's spec", w.hub.Get(t, w.canaries, "other.eu-west-prod").GetLabels(), stranger.GetLabels()); err != nil {
		t.Error(err)
	}
	w.hub.Delete(t, w.canaries, "other.eu-west-prod")
	w.expectMirror(t, "other.eu-west-prod", "Pending", "Pending")
	if metric := controller.Metric(t, "fanout_mirrors", "state", "kept"); metric < 3 {
		t.Errorf("%v are counted", metric)
	}

	t.Log("narrowed, and gone")
	w.hub.Apply(t, w.hourly("api-health", "eu-*"))
	w.expectMirrors(t, "api-health.eu-west-prod", "other.eu-west-prod")
	w.hub.Delete(t, w.canaries, "other")
	w.expectMirrors(t, "api-health.eu-west-prod")
	w.hub.Patch(t, w.canaries, "api-health", `{"spec":{"agentSelector":null}}`)
	w.expectMirrors(t)

	t.Log("somebody's own Canary that has the label, and is none by its name")
	labelled := w.canary("mine")
	labelled.SetLabels(map[string]string{derive.LabelMirror: labels[derive.LabelMirror]})
	w.hub.Apply(t, labelled)
	w.hub.Apply(t, w.hourly("last", "eu-*"))
	w.expectMirror(t, "last.eu-west-prod", "Pending", "Pending")
	if w.hub.Get(t, w.canaries, "mine") == nil {
		t.Error("it is gone")
	}
}

// There are no more mirrors than allowed, older parents come first, a restart writes none that is right, and without --mirror there are none.
func TestMirrorsAreBounded(t *testing.T) {
	w := newWorld(t, agents...)
	controller := w.startFanout(t, "--mirror", "--mirror-limit=4")
	w.hub.Apply(t, w.hourly("first", "*"))
	w.expectMirrors(t, "first.ap-south-dev", "first.eu-west-prod", "first.us-east-prod")
	fixture.Eventually(t, "the next is younger", func() error {
		created := w.hub.Get(t, w.canaries, "first").GetCreationTimestamp()
		if time.Since(created.Time) < 1100*time.Millisecond { // they count in seconds
			return fmt.Errorf("not yet")
		}
		return nil
	})
	w.hub.Apply(t, w.hourly("second", "*-prod"))
	w.expectEvent(t, w.canaries, "second", "MirrorLimit", "--mirror-limit")
	w.expectMirrors(t, "first.ap-south-dev", "first.eu-west-prod", "first.us-east-prod")
	w.hub.Apply(t, w.hourly("first", "*-dev"))
	w.expectMirrors(t, "first.ap-south-dev", "second.eu-west-prod", "second.us-east-prod")
	w.members["eu-west-prod"].Report(t, w.canaries, "second", fixture.Passing(time.Now()))
	mirror := w.expectMirror(t, "second.eu-west-prod", "Passed", "Passed")

	t.Log("a restart")
	controller.Stop(t)
	controller = w.startFanout(t, "--mirror", "--mirror-limit=4")
	w.hub.Apply(t, w.hourly("third", "eu-*")) // by whose mirror, which is the fourth, it is seen that all have been looked at
	w.expectMirrors(t, "first.ap-south-dev", "second.eu-west-prod", "second.us-east-prod", "third.eu-west-prod")
	if again := w.hub.Get(t, w.canaries, "second.eu-west-prod"); again.GetResourceVersion() != mirror.GetResourceVersion() {
		t.Errorf("it was written again: %v, then %v", mirror.Object, again.Object)
	}

	t.Log("switched off")
	controller.Stop(t)
	w.startFanout(t)
	w.expectMirrors(t)
	w.expectHolders(t, "first", "ap-south-dev")
}
