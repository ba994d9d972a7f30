package integration

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/test/fixture"
)

// A canary-checker in the hub and fanout share a parent's status without a word: each writes its own part once.
func TestCheckerSharesAParentsStatus(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	w.hub.StartChecker(t)
	w.members["eu-west-prod"].StartChecker(t)
	parent := w.checked("api-health", w.target(t))
	w.hub.Apply(t, parent)
	w.members["eu-west-prod"].EventuallyChecked(t, w.canaries, "api-health")
	w.hub.EventuallyChecked(t, w.canaries, "api-health")
	w.expectShown(t, "api-health", "Passed", "1 agent: 1 passed; 1 in sync", map[string]string{"eu-west-prod": "Passed"})
	fixture.Eventually(t, "both have written to it", func() error {
		return fixture.Same("the managers", fixture.Managers(w.hub.Get(t, w.canaries, "api-health")), []string{"canary-checker Update", "fanout Apply"})
	})

	w.edit(t, "api-health", "@every 2h")
	w.hub.EventuallyChecked(t, w.canaries, "api-health")
	w.members["eu-west-prod"].EventuallyChecked(t, w.canaries, "api-health")
	w.expectShown(t, "api-health", "Passed", "1 agent: 1 passed; 1 in sync", nil)
	before := len(w.statusWrites(t))
	w.hub.Apply(t, w.hourly("new", "eu-*"))
	w.expectDerived(t, "eu-west-prod", "new")
	w.members["eu-west-prod"].Report(t, w.canaries, "new", fixture.Failing(time.Now(), "refused"))
	w.expectShown(t, "new", "Failed", "1 agent: 1 failed; 1 in sync", nil)
	for _, write := range w.statusWrites(t)[before:] {
		if write.Name != "new" {
			t.Errorf("%s of %s by %s", write.Verb, write.Name, write.UserAgent)
		}
	}
}

// canary-checker in the hub takes a mirror in, and neither runs it nor fights over it nor holds it when it is to go.
func TestCheckerLeavesMirrorsInPeace(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t, "--mirror")
	w.hub.StartChecker(t)
	w.hub.Apply(t, w.hourly("api-health", "*"))
	w.expectDerived(t, "eu-west-prod", "api-health")
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Failing(time.Now(), "expected 500"))
	w.expectMirror(t, "api-health.eu-west-prod", "Failed", "Failed")
	checked := func(name string) *unstructured.Unstructured {
		t.Helper()
		w.hub.Apply(t, w.canary(name))
		w.hub.EventuallyChecked(t, w.canaries, name) // it comes behind all that was there before
		return w.expectMirror(t, "api-health.eu-west-prod", "Failed", "Failed")
	}
	before, after := checked("first-of-the-hub"), checked("second-of-the-hub")
	if before.GetResourceVersion() != after.GetResourceVersion() {
		t.Errorf("the mirror does not come to rest: %v, and then %v", before, after)
	}
	said := map[string]string{}
	for _, entry := range after.GetManagedFields() {
		if entry.Manager == "canary-checker" {
			said[entry.Subresource] = entry.FieldsV1.GetRawString()
		}
	}
	if err := fixture.Same("canary-checker's part of the status, which would be more had it run the mirror", said["status"], `{"f:status":{"f:observedGeneration":{}}}`); err != nil {
		t.Error(err)
	}
	if err := fixture.Same("the spec", after.Object["spec"], map[string]any{"replicas": int64(0), "schedule": "@every 1h"}); err != nil {
		t.Error(err)
	}
	w.hub.Delete(t, w.canaries, "api-health")
	w.expectMirrors(t)
}
