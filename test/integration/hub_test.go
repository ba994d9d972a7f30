package integration

import (
	"fmt"
	"testing"

	"fanout/test/fixture"
)

// A selector that does not parse freezes what was derived, and says where the fault is.
func TestInvalidSelectorFreezes(t *testing.T) {
	w := newWorld(t, agents...)
	w.startFanout(t, "--resync-period=300ms")
	check := w.canary("api-health", "*-prod")
	w.hub.Apply(t, check)
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	before := w.expectDerived(t, "eu-west-prod", "api-health")

	fixture.Select(check, "us-*", "{eu,us")
	check.Object["spec"].(map[string]any)["schedule"] = "@every 1m"
	w.hub.Apply(t, check)
	w.expectEvent(t, w.canaries, "api-health", "InvalidAgentSelector", `agentSelector[1] "{eu,us": position 0`)
	// Another parent goes through after it, so the invalid one has been looked at.
	w.hub.Apply(t, w.canary("next", "*"))
	w.expectHolders(t, "next", agents...)
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	if after := w.members["eu-west-prod"].Get(t, w.canaries, "api-health"); after.GetResourceVersion() != before.GetResourceVersion() {
		t.Error("the copy was written")
	}

	fixture.Select(check, "us-*", "{eu,ap}-*-dev", "ap-south-dev")
	w.hub.Apply(t, check)
	w.expectHolders(t, "api-health", "us-east-prod", "ap-south-dev")
	w.expectDerived(t, "us-east-prod", "api-health")
}

// local is the hub itself: a copy beside the parent, owned by it.
func TestLocal(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	check := w.canary("api-health", "*", "local")
	parent := w.hub.Apply(t, check)
	w.expectHolders(t, "api-health", "eu-west-prod")
	fixture.Eventually(t, "the hub has its own copy", func() error {
		copied := w.hub.Get(t, w.canaries, "api-health-local")
		if copied == nil {
			return fmt.Errorf("it has none")
		}
		if _, selects := copied.Object["spec"].(map[string]any)["agentSelector"]; selects {
			return fmt.Errorf("it selects agents")
		}
		owners := copied.GetOwnerReferences()
		if len(owners) != 1 || owners[0].UID != parent.GetUID() {
			return fmt.Errorf("it is owned by %v", owners)
		}
		return nil
	})
	fixture.Select(check, "*")
	w.hub.Apply(t, check)
	fixture.Eventually(t, "without local it goes", func() error {
		if w.hub.Get(t, w.canaries, "api-health-local") != nil {
			return fmt.Errorf("it is there")
		}
		return nil
	})
	w.expectHolders(t, "api-health", "eu-west-prod")
}

// When the hub's CRD is deleted every Canary goes with it, and nobody asked for that: nothing is pruned.
func TestHubCRDRemovedPrunesNothing(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	controller := w.startFanout(t)
	for i := range 20 {
		w.hub.Apply(t, w.canary(fmt.Sprintf("check-%d", i), "*"))
	}
	w.expectCount(t, "eu-west-prod", 20)

	w.hub.RemoveCRD(t)
	fixture.Eventually(t, "fanout has seen the Canaries go, and pruned none", func() error {
		if refused := controller.Metric(t, "fanout_sync_errors_total", "reason", "HubUnknown"); refused < 20 {
			return fmt.Errorf("it refused to prune %v times", refused)
		}
		return nil
	})
	w.expectWhy(t, controller, "check-0", "eu-west-prod", "✗ parent: the hub has no Canary", "✗ copy (HubUnknown): the copy is not pruned, since the hub can't be believed", "next: wait until the hub answers and serves Canaries")
	w.expectCount(t, "eu-west-prod", 20)
	if deleted := controller.Metric(t, "fanout_writes_total", "action", "deleted"); deleted != 0 {
		t.Errorf("it deleted %v copies", deleted)
	}
}

// A member without the CRD is picked up soon after it appears, the first time and any other.
func TestMemberCRDArrivesLater(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	member := w.members["eu-west-prod"]
	member.RemoveCRD(t)
	controller := w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*"))
	fixture.Eventually(t, "the missing CRD is counted", func() error {
		if controller.Metric(t, "fanout_sync_errors_total", "agent", "eu-west-prod", "reason", "CanaryCRDMissing") == 0 {
			return fmt.Errorf("it is not")
		}
		return nil
	})
	w.expectSecretEvent(t, "eu-west-prod", "CanaryCRDMissing", "install canary-checker")
	for range 2 {
		if err := member.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
			t.Fatal(err)
		}
		w.expectDerived(t, "eu-west-prod", "api-health")
		member.RemoveCRD(t)
	}
}
