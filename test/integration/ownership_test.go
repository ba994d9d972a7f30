package integration

import (
	"testing"

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
