package integration

import (
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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

// An agent without labels, and one whose label is empty: to Kubernetes, and so here, both are not what they are not said to be.
func TestMissingAndEmptyLabels(t *testing.T) {
	w := newWorld(t, agents...)
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"labels":{"tier":"prod"}}}`)
	w.patchSecret(t, "us-east-prod", `{"metadata":{"labels":{"tier":""}}}`)
	w.startFanout(t)
	for name, selector := range map[string][]string{
		"is": {"tier=prod"}, "is-not": {"tier!=prod"}, "is-none-of": {"tier notin (prod,dev)"}, "excluded": {"!tier=prod"}, "all-but": {"*", "!tier in (prod)"},
	} {
		w.hub.Apply(t, w.canary(name, selector...))
	}
	w.expectHolders(t, "is", "eu-west-prod")
	for _, name := range []string{"is-not", "is-none-of", "excluded", "all-but"} {
		w.expectHolders(t, name, "us-east-prod", "ap-south-dev")
	}

	t.Log("a label gets a value, another loses its own, and the last one goes")
	w.patchSecret(t, "us-east-prod", `{"metadata":{"labels":{"tier":"prod"}}}`)
	w.expectHolders(t, "is", "eu-west-prod", "us-east-prod")
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"labels":{"tier":""}}}`)
	w.expectHolders(t, "is", "us-east-prod")
	w.patchSecret(t, "us-east-prod", `{"metadata":{"labels":{"tier":null}}}`)
	w.expectHolders(t, "is")
	for _, name := range []string{"is-not", "is-none-of", "excluded", "all-but"} {
		w.expectHolders(t, name, agents...)
	}
}

// Labels that change while their member is away, or while the hub is, count as soon as it is back, and nothing is connected or
// written anew for it elsewhere.
func TestLabelsThatChangeDuringAnOutage(t *testing.T) {
	w := newWorld(t, "us-east-prod")
	proxy := w.registerBehindProxy(t, "eu-west-prod")
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"labels":{"tier":"prod"}}}`)
	w.patchSecret(t, "us-east-prod", `{"metadata":{"labels":{"tier":"prod"}}}`)
	controller, hub := w.startFanoutBehindProxy(t, "--probe-period=300ms", "--probe-timeout=1s", "--request-timeout=1s")
	w.hub.Apply(t, w.canary("for-prod", "tier=prod"))
	w.hub.Apply(t, w.canary("for-dev", "tier=dev"))
	w.expectHolders(t, "for-prod", "eu-west-prod", "us-east-prod")

	t.Log("a member is away")
	heal := proxy.Cut()
	w.expectState(t, controller, "Unreachable", 1)
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"labels":{"tier":"dev"}}}`)
	w.patchSecret(t, "us-east-prod", `{"metadata":{"labels":{"seen":"yes"}}}`)
	w.hub.Apply(t, w.canary("meanwhile", "seen=yes"))
	w.expectHolders(t, "meanwhile", "us-east-prod") // the labels are known
	w.expectHolders(t, "for-prod", "eu-west-prod", "us-east-prod")
	heal()
	w.expectHolders(t, "for-prod", "us-east-prod")
	w.expectHolders(t, "for-dev", "eu-west-prod")

	t.Log("the hub is away")
	heal = hub.Cut()
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"labels":{"tier":"prod"}}}`)
	w.patchSecret(t, "us-east-prod", `{"metadata":{"labels":{"seen":null}}}`)
	w.members["us-east-prod"].Patch(t, w.canaries, "meanwhile", `{"spec":{"schedule":"@every 9h"}}`)
	fixture.Eventually(t, "the copy is as before, so fanout goes on with what it knows", func() error {
		schedule, _, _ := unstructured.NestedString(w.members["us-east-prod"].Get(t, w.canaries, "meanwhile").Object, "spec", "schedule")
		return fixture.Same("its schedule", schedule, "@every 30s")
	})
	w.expectHolders(t, "for-dev", "eu-west-prod")
	heal()
	w.expectHolders(t, "for-prod", "eu-west-prod", "us-east-prod")
	w.expectHolders(t, "for-dev")
	w.expectHolders(t, "meanwhile")
	w.expectOneConnection(t, "us-east-prod")
	if got := w.accepted(t, "us-east-prod")["for-prod"]; !slices.Equal(got, []string{"patch"}) {
		t.Errorf("for-prod was written by %v where no label that it asks for changed", got)
	}
}
