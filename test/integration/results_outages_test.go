package integration

import (
	"fmt"
	"testing"
	"time"

	"fanout/test/fixture"
)

// What members report while the hub is away is on their parents when it is back, and nothing is told twice.
func TestResultsWhileTheHubIsAway(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	_, proxy := w.startFanoutBehindProxy(t, "--request-timeout=2s")
	w.hub.Apply(t, w.hourly("api-health", "*"))
	w.expectDerived(t, "eu-west-prod", "api-health")
	member := w.members["eu-west-prod"]
	now := time.Now()
	member.Report(t, w.canaries, "api-health", fixture.Passing(now))
	w.expectShown(t, "api-health", "Passed", "1 agent: 1 passed; 1 in sync", nil)

	heal := proxy.Cut()
	for i := range 20 {
		member.Report(t, w.canaries, "api-health", fixture.Failing(now, fmt.Sprintf("attempt %d", i)))
	}
	heal()
	w.expectShown(t, "api-health", "Failed", "1 agent: 1 failed; 1 in sync", map[string]string{"eu-west-prod": "Failed | attempt 19"})
}

// Parents are edited while results come in, and what they say in the end is right, though somebody wrote into their statuses.
func TestResultsWhileParentsAreEdited(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.startFanout(t)
	check := w.hourly("api-health", "*")
	w.hub.Apply(t, check)
	w.expectDerived(t, "us-east-prod", "api-health")
	w.expectDerived(t, "eu-west-prod", "api-health")
	now := time.Now()
	for i := range 30 {
		w.edit(t, "api-health", fmt.Sprintf("@every %dm", i+2))
		status := fixture.Passing(now)
		if i%3 == 0 {
			status = fixture.Failing(now, fmt.Sprintf("attempt %d", i))
		}
		w.members["eu-west-prod"].Report(t, w.canaries, "api-health", status)
		w.members["us-east-prod"].Report(t, w.canaries, "api-health", fixture.Failing(now, fmt.Sprintf("attempt %d", i)))
		if i%10 == 0 {
			w.hub.Report(t, w.canaries, "api-health", fixture.Status{"status": "Fine", "errorMessage": "none"})
		}
	}
	w.expectShown(t, "api-health", "Failed", "2 agents: 1 passed, 1 failed; 2 in sync", map[string]string{
		"eu-west-prod": "Passed", "us-east-prod": "Failed | attempt 29",
	})
	w.expectDerived(t, "eu-west-prod", "api-health")
	if now := w.hub.Get(t, w.canaries, "api-health"); now.GetGeneration() != 31 {
		t.Errorf("the parent is at generation %d after 30 edits", now.GetGeneration())
	}

	t.Log("somebody wipes it")
	w.hub.Report(t, w.canaries, "api-health", fixture.Status{})
	w.expectShown(t, "api-health", "Failed", "2 agents: 1 passed, 1 failed; 2 in sync", nil)
}

// Two hubs share a member, and each has the results of its own copies.
func TestResultsOfTwoHubs(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	other := w.members["ap-south-dev"] // a hub of its own in this test
	other.Register(t, w.namespace, "eu-west-prod", w.members["eu-west-prod"].LeastRights(t, "member.yaml", w.namespace))
	w.startFanout(t)
	fixture.StartFanout(t, other.LeastRights(t, "hub.yaml", w.namespace), "--cluster-namespace", w.namespace)
	w.hub.Apply(t, w.hourly("ours", "*"))
	other.Apply(t, w.hourly("theirs", "*"))
	member := w.members["eu-west-prod"]
	for name, status := range map[string]fixture.Status{"ours": fixture.Passing(time.Now()), "theirs": fixture.Failing(time.Now(), "refused")} {
		fixture.Eventually(t, name+" is there", func() error {
			if member.Get(t, w.canaries, name) == nil {
				return fmt.Errorf("it is not")
			}
			return nil
		})
		member.Report(t, w.canaries, name, status)
	}
	w.expectShown(t, "ours", "Passed", "1 agent: 1 passed; 1 in sync", nil)
	other.EventuallyShows(t, w.canaries, "theirs", "Failed", "1 agent: 1 failed; 1 in sync", nil)
}

// A member without the Canary CRD is shown as that, and as any other once it has it.
func TestResultsWithoutCRD(t *testing.T) {
	w := newWorld(t)
	w.members["eu-west-prod"].RemoveCRD(t)
	w.register(t, "eu-west-prod")
	w.startFanout(t)
	w.hub.Apply(t, w.hourly("api-health", "*"))
	w.expectShown(t, "api-health", "Missing", "1 agent: 1 missing; 0 in sync, 1 out of sync", map[string]string{"eu-west-prod": "Missing, out of sync (CanaryCRDMissing): …"})
	if err := w.members["eu-west-prod"].InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
		t.Fatal(err)
	}
	w.expectShown(t, "api-health", "Pending", "1 agent: 1 pending; 1 in sync", nil)
}
