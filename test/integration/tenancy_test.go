package integration

import (
	"testing"

	"fanout/test/fixture"
)

// A member's owner limits the namespaces of the hub that may fan out into it; whoever is refused is told.
func TestNamespacesOfAMember(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	team := fixture.Canary(w.canaries+"-team", "api-health", "*-prod")
	w.hub.Apply(t, team)
	expectTeam := func(want ...string) {
		t.Helper()
		w.expectHoldersIn(t, team.GetNamespace(), "api-health", want...)
	}
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	expectTeam("eu-west-prod", "us-east-prod")
	allow := func(patterns string) {
		t.Helper()
		w.patchSecret(t, "us-east-prod", `{"metadata":{"annotations":{"fanout.flanksource.com/namespaces":`+patterns+`}}}`)
	}

	t.Log("limited: what is there already goes, and its parent is told")
	allow(`"kube-*, ` + w.canaries + `*, !*-team"`)
	expectTeam("eu-west-prod")
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	w.expectEvent(t, team.GetNamespace(), "api-health", "NamespaceNotAllowed", `agent "us-east-prod"`)

	t.Log("a list that does not parse changes nothing, and the Secret's owner is told")
	allow(`"team_*"`)
	w.expectSecretEvent(t, "us-east-prod", "Refused", "the last one still is")
	w.hub.Apply(t, w.canary("another", "*-prod"))
	w.expectHolders(t, "another", "eu-west-prod", "us-east-prod")
	expectTeam("eu-west-prod")

	t.Log("open again")
	allow(`null`)
	expectTeam("eu-west-prod", "us-east-prod")
}
