package integration

import (
	"testing"

	"fanout/test/fixture"
)

// One parent's life, by every way into and out of a selector.
func TestSelectionFollowsTheParent(t *testing.T) {
	w := newWorld(t, agents...)
	w.startFanout(t)
	check := w.canary("api-health", "*-prod")
	w.hub.Apply(t, check)
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	w.expectDerived(t, "eu-west-prod", "api-health")
	w.expectDerived(t, "us-east-prod", "api-health")

	t.Log("broaden")
	fixture.Select(check, "*")
	w.hub.Apply(t, check)
	w.expectHolders(t, "api-health", agents...)

	t.Log("exclude")
	fixture.Select(check, "*", "!us-east-prod")
	w.hub.Apply(t, check)
	w.expectHolders(t, "api-health", "eu-west-prod", "ap-south-dev")

	t.Log("exclude only")
	fixture.Select(check, "!*-dev")
	w.hub.Apply(t, check)
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")

	t.Log("narrow")
	fixture.Select(check, "us-east-prod")
	w.hub.Apply(t, check)
	w.expectHolders(t, "api-health", "us-east-prod")

	t.Log("edit")
	check.Object["spec"].(map[string]any)["schedule"] = "@every 1m"
	w.hub.Apply(t, check)
	w.expectDerived(t, "us-east-prod", "api-health")

	t.Log("remove the selector")
	delete(check.Object["spec"].(map[string]any), "agentSelector")
	w.hub.Apply(t, check)
	w.expectHolders(t, "api-health")

	t.Log("select again, then delete the parent")
	fixture.Select(check, "*")
	w.hub.Apply(t, check)
	w.expectHolders(t, "api-health", agents...)
	w.hub.Delete(t, w.canaries, "api-health")
	w.expectHolders(t, "api-health")
}
