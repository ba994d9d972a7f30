package integration

import (
	"errors"
	"testing"

	"fanout/test/fixture"
)

// Two hubs share a member: each keeps its own copies, and the one that comes second to a name leaves it alone.
func TestTwoHubsOnOneMember(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	other := w.members["ap-south-dev"] // a hub of its own in this test
	other.Register(t, w.namespace, "eu-west-prod", w.members["eu-west-prod"].LeastRights(t, "member.yaml", w.namespace))
	w.startFanout(t, "--resync-period=300ms")
	theirs := fixture.StartFanout(t, other.LeastRights(t, "hub.yaml", w.namespace), "--cluster-namespace", w.namespace, "--resync-period=300ms")

	w.hub.Apply(t, w.canary("shared-name", "*"))
	first := w.expectDerived(t, "eu-west-prod", "shared-name")
	other.Apply(t, w.canary("shared-name", "*"))
	other.Apply(t, w.canary("other", "*"))
	w.hub.Apply(t, w.canary("one", "*"))
	w.expectHolders(t, "one", "eu-west-prod")
	// Not by expectHolders: the other hub holds the parent of that name itself.
	fixture.Eventually(t, "the other hub's own copy arrives, and its other one is in conflict", func() error {
		return fixture.Same("copies and conflicts", []bool{
			w.members["eu-west-prod"].Get(t, w.canaries, "other") != nil,
			theirs.Metric(t, "fanout_sync_errors_total", "reason", "Conflict") > 0,
		}, []bool{true, true})
	})

	t.Log("each hub prunes its own and nothing else")
	w.hub.Delete(t, w.canaries, "one")
	other.Delete(t, w.canaries, "shared-name")
	w.expectHolders(t, "one")
	after := w.members["eu-west-prod"].Get(t, w.canaries, "shared-name")
	if after == nil || after.GetUID() != first.GetUID() || after.GetResourceVersion() != first.GetResourceVersion() {
		t.Errorf("the first hub's copy was touched: %v", after)
	}
	if w.members["eu-west-prod"].Get(t, w.canaries, "other") == nil {
		t.Error("the other hub's copy is gone")
	}
}

// A leader that stops hands over at once, and one that stands by does nothing until then.
func TestHandover(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	leader := w.startFanout(t)
	check := w.canary("api-health", "*")
	w.hub.Apply(t, check)
	w.expectDerived(t, "eu-west-prod", "api-health")
	standby := w.startFanout(t)

	check.Object["spec"].(map[string]any)["schedule"] = "@every 1m"
	w.hub.Apply(t, check)
	w.expectDerived(t, "eu-west-prod", "api-health")
	if writes := standby.Metric(t, "fanout_writes_total"); writes != 0 {
		t.Errorf("the standby wrote %v times", writes)
	}
	leader.Stop(t)
	check.Object["spec"].(map[string]any)["schedule"] = "@every 2m"
	w.hub.Apply(t, check)
	w.expectDerived(t, "eu-west-prod", "api-health")
	fixture.Eventually(t, "the standby counts its write", func() error {
		if standby.Metric(t, "fanout_writes_total") == 0 {
			return errors.New("somebody else wrote")
		}
		return nil
	})
}
