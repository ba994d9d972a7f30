package integration

import (
	"fmt"
	"testing"

	"fanout/test/fixture"
)

// Agents are selected by the labels of their Secrets, beside names, and a changed label takes effect as an edited selector does:
// with no new connection, and no write where nothing changes.
func TestSelectingByLabels(t *testing.T) {
	w := newWorld(t, agents...)
	label := func(agent, labels string) {
		t.Helper()
		w.patchSecret(t, agent, `{"metadata":{"labels":{`+labels+`}}}`)
	}
	label("eu-west-prod", `"tier":"prod","region":"eu"`)
	label("us-east-prod", `"tier":"prod","region":"us"`)
	label("ap-south-dev", `"tier":"dev"`)
	for _, member := range w.members {
		member.Namespace(t, w.canaries) // or the first write there is answered with that it is missing
	}
	w.startFanout(t)
	check := w.canary("api-health", "tier=prod,region in (eu,us)", "!maintenance=true")
	w.hub.Apply(t, check)
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	byName := w.canary("by-name", "*-prod")
	w.hub.Apply(t, byName)
	w.expectHolders(t, "by-name", "eu-west-prod", "us-east-prod")
	w.expectDerived(t, "eu-west-prod", "api-health")

	t.Log("a label comes")
	label("ap-south-dev", `"tier":"prod","region":"us"`)
	w.expectHolders(t, "api-health", agents...)
	w.expectDerived(t, "ap-south-dev", "api-health")

	t.Log("one that excludes")
	label("us-east-prod", `"maintenance":"true"`)
	w.expectHolders(t, "api-health", "eu-west-prod", "ap-south-dev")

	t.Log("and goes")
	label("us-east-prod", `"maintenance":null`)
	w.expectHolders(t, "api-health", agents...)

	t.Log("a selector that does not parse, whatever labels change meanwhile")
	fixture.Select(check, "tier==")
	w.hub.Apply(t, check)
	w.expectEvent(t, w.canaries, "api-health", "InvalidAgentSelector", "no value for tier")
	label("ap-south-dev", `"tier":"dev"`)
	w.expectHolders(t, "by-name", "eu-west-prod", "us-east-prod")
	w.expectHolders(t, "api-health", agents...)
	fixture.Select(check, "tier=prod", "local")
	w.hub.Apply(t, check)
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")

	t.Log("nobody was connected to twice, or written to for nothing")
	for agent, writes := range map[string]int{"eu-west-prod": 1, "ap-south-dev": 0} {
		if got := len(w.fanoutWrites(t, agent)["by-name"]); got != writes {
			t.Errorf("%d writes of by-name to %s, want %d", got, agent, writes)
		}
	}
	if got := len(w.fanoutWrites(t, "eu-west-prod")["api-health"]); got != 1 {
		t.Errorf("%d writes of api-health to the member whose labels did not change, want 1", got)
	}
	w.expectOneConnection(t, agents...)
}

// What a Secret says when fanout was away counts when it is back.
func TestLabelsThatChangedMeanwhile(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"labels":{"tier":"prod"}}}`)
	controller := w.startFanout(t)
	for i := range 3 {
		w.hub.Apply(t, w.canary(fmt.Sprintf("check-%d", i), "tier=prod"))
	}
	w.expectHolders(t, "check-0", "eu-west-prod")
	w.expectHolders(t, "check-2", "eu-west-prod")
	controller.Stop(t)
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"labels":{"tier":"dev"}}}`)
	w.patchSecret(t, "us-east-prod", `{"metadata":{"labels":{"tier":"prod"}}}`)
	w.startFanout(t)
	for i := range 3 {
		w.expectHolders(t, fmt.Sprintf("check-%d", i), "us-east-prod")
	}
}
