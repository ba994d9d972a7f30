package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/test/fixture"
)

// Each way that a check may go in a member is on its parent, beside the others, and goes on to be.
func TestResultsComeHome(t *testing.T) {
	w := newWorld(t, agents...)
	w.startFanout(t)
	w.hub.Apply(t, w.hourly("api-health", "*"))
	for _, agent := range agents {
		w.expectDerived(t, agent, "api-health")
	}
	w.expectShown(t, "api-health", "Pending", "3 agents: 3 pending; 3 in sync", map[string]string{"eu-west-prod": "Pending"})

	now := time.Now()
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Failing(now, "expected 500 to be in [200]"))
	w.members["us-east-prod"].Report(t, w.canaries, "api-health", fixture.Passing(now))
	shown := w.expectShown(t, "api-health", "Failed", "3 agents: 1 passed, 1 failed, 1 pending; 3 in sync", map[string]string{
		"eu-west-prod": "Failed | expected 500 to be in [200]", "us-east-prod": "Passed", "ap-south-dev": "Pending",
	})
	if shown.Uptime != "23/24 (95.8%)" || shown.Latency != "7ms" || shown.ErrorMessage != "eu-west-prod: expected 500 to be in [200]" {
		t.Errorf("uptime %q, latency %q, error %q", shown.Uptime, shown.Latency, shown.ErrorMessage)
	}
	w.expectEvent(t, w.canaries, "api-health", "Failing", "eu-west-prod: expected 500 to be in [200]")

	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Passing(now))
	w.members["ap-south-dev"].Report(t, w.canaries, "api-health", fixture.Passing(now))
	shown = w.expectShown(t, "api-health", "Passed", "3 agents: 3 passed; 3 in sync", map[string]string{"eu-west-prod": "Passed"})
	if shown.ErrorMessage != "" {
		t.Errorf("error %q", shown.ErrorMessage)
	}
	w.expectEvent(t, w.canaries, "api-health", "Recovered", "no agent fails any more")
}

// What a real canary-checker was recorded to write is understood, the odd of it too.
func TestResultsAsRecorded(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	for recording, row := range map[string]struct{ state, says string }{
		"two-checks-fail-first": {"Failed", "Failed | …"}, // which says Passed beside an errorMessage
		"removed-type":          {"Failed", "Failed | this check type has been removed…"},
		"transformed":           {"Invalid", "Invalid…"},
		"bad-schedule":          {"Invalid", "Invalid | …"},
		"big-error":             {"Failed", "Failed | …"},
		"no-checks":             {"Pending", "Pending…"},
	} {
		w.hub.Apply(t, w.hourly(recording, "*"))
		w.expectDerived(t, "eu-west-prod", recording)
		status := fixture.RecordedStatus(t, recording+".json")
		if _, ran := status["lastCheck"]; ran {
			status["lastCheck"] = time.Now().UTC().Format(time.RFC3339)
		}
		w.members["eu-west-prod"].Report(t, w.canaries, recording, status)
		fixture.Eventually(t, recording+" is "+row.state, func() error {
			shown := fixture.ReadShown(w.hub.Get(t, w.canaries, recording))
			if says := shown.Agents["eu-west-prod"]; shown.Status != row.state || !strings.HasPrefix(says, strings.TrimSuffix(row.says, "…")) {
				return fmt.Errorf("it is %s, and says %q", shown.Status, says)
			}
			return nil
		})
	}
}

// What keeps a copy from being where it should is in the status, not only in Events.
func TestResultsSayWhatIsWrong(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.hub.Register(t, w.namespace, "refused", []byte("no kubeconfig"))
	member := w.members["eu-west-prod"]
	member.Apply(t, w.canary("in-conflict"))
	w.startFanout(t)

	w.hub.Apply(t, w.hourly("in-conflict", "*-prod"))
	w.expectShown(t, "in-conflict", "Missing", "2 agents: 1 missing, 1 pending; 1 in sync, 1 out of sync", map[string]string{
		"eu-west-prod": "Missing, out of sync (Conflict): …", "us-east-prod": "Pending",
	})
	member.Patch(t, w.canaries, "in-conflict", `{"metadata":{"annotations":{"fanout.flanksource.com/adopt":"true"}}}`)
	w.edit(t, "in-conflict", "@every 2m") // or it would be looked at again half a minute later
	w.expectShown(t, "in-conflict", "Pending", "2 agents: 2 pending; 2 in sync", nil)
	w.expectEvent(t, w.canaries, "in-conflict", "InSync", "in all of its agents: 2")

	w.hub.Apply(t, w.hourly("nowhere", "mars-*"))
	w.expectShown(t, "nowhere", "Pending", "0 agents: agentSelector matches none of those that are registered", nil)
	w.hub.Apply(t, w.hourly("refused", "refused"))
	w.expectShown(t, "refused", "Unreachable", "1 agent: 1 unreachable; 0 in sync", map[string]string{"refused": "Unreachable: Refused"})

	w.hub.Apply(t, w.hourly("api-health", "eu-*"))
	w.expectDerived(t, "eu-west-prod", "api-health")
	member.Report(t, w.canaries, "api-health", fixture.Passing(time.Now()))
	w.expectShown(t, "api-health", "Passed", "1 agent: 1 passed; 1 in sync", nil)
	w.hub.Apply(t, w.hourly("api-health", "{eu"))
	shown := w.expectShown(t, "api-health", "Invalid", "agentSelector is not valid, so the copies stay as they are; 1 agent: 1 passed; 1 in sync",
		map[string]string{"eu-west-prod": "Passed"})
	if !strings.HasPrefix(shown.ErrorMessage, "agentSelector: ") {
		t.Errorf("the error is %q", shown.ErrorMessage)
	}
	w.hub.Apply(t, w.hourly("api-health", "*-prod"))
	w.expectShown(t, "api-health", "Pending", "2 agents: 1 passed, 1 pending; 2 in sync", nil)

	t.Log("no parent any more")
	w.hub.Report(t, w.canaries, "api-health", fixture.Status{"checks": map[string]any{"api": "018f"}, "observedGeneration": int64(7)})
	w.hub.Patch(t, w.canaries, "api-health", `{"spec":{"agentSelector":null}}`)
	fixture.Eventually(t, "what fanout wrote is gone from the status, and the rest is not", func() error {
		canary := w.hub.Get(t, w.canaries, "api-health")
		return fixture.Same("the status", canary.Object["status"], map[string]any{"checks": map[string]any{"api": "018f"}, "observedGeneration": 7})
	})
}

// A Canary that canary-checker ran before it became a parent keeps none of that in its status, and one that selects no agent any more
// none of those that it did.
func TestResultsTakeTheirPlace(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	w.hub.Apply(t, w.hourly("api-health"))
	w.hub.Report(t, w.canaries, "api-health", fixture.Failing(time.Now(), "refused"))
	w.hub.Apply(t, w.hourly("api-health", "*"))
	shown := w.expectShown(t, "api-health", "Pending", "1 agent: 1 pending; 1 in sync", map[string]string{"eu-west-prod": "Pending"})
	if len(shown.Agents) != 1 || shown.ErrorMessage != "" || shown.LastCheck != "" {
		t.Errorf("there is more in it: %+v", shown)
	}
	w.hub.Apply(t, w.hourly("api-health", "mars-*"))
	shown = w.expectShown(t, "api-health", "Pending", "0 agents: agentSelector matches none of those that are registered", nil)
	if len(shown.Agents) != 0 {
		t.Errorf("it speaks of %v", shown.Agents)
	}
}

// A copy in the hub itself reports as those in members do, and says nothing of agents in its own status.
func TestResultsOfLocal(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	w.hub.Apply(t, w.hourly("api-health", "local", "eu-*"))
	fixture.Eventually(t, "it is there", func() error {
		return fixture.Derived(w.hub.Get(t, w.canaries, "api-health-local"), w.hub.Get(t, w.canaries, "api-health"), "local")
	})
	w.hub.Report(t, w.canaries, "api-health-local", fixture.Failing(time.Now(), "refused"))
	w.expectShown(t, "api-health", "Failed", "2 agents: 1 failed, 1 pending; 2 in sync", map[string]string{"local": "Failed | refused"})
	if managers := fixture.Managers(w.hub.Get(t, w.canaries, "api-health-local")); len(managers) != 1 {
		t.Errorf("the copy's status is by %v", managers)
	}
}

// expectShown waits until a parent shows that.
func (w *world) expectShown(t *testing.T, name, state, message string, says map[string]string) fixture.Shown {
	t.Helper()
	return w.hub.EventuallyShows(t, w.canaries, name, state, message, says)
}

// hourly returns a parent whose results are not stale within a test, however slow that is.
func (w *world) hourly(name string, selector ...string) *unstructured.Unstructured {
	canary := w.canary(name, selector...)
	canary.Object["spec"].(map[string]any)["schedule"] = "@every 1h"
	return canary
}
