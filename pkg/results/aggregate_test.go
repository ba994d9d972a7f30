package results

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The whole status, once.
func TestAggregates(t *testing.T) {
	got := aggregate(every30s(),
		agent("us-east-prod", passing(10*time.Second)),
		agent("eu-west-prod", failing(20*time.Second, "expected 500 to be in [200]")),
		agent("ap-south-prod", passing(5*time.Second)),
	)
	want := object(t, `{
		"status": "Failed",
		"message": "3 agents: 2 passed, 1 failed; 3 in sync",
		"errorMessage": "eu-west-prod: expected 500 to be in [200]",
		"lastCheck": "2026-11-24T12:32:55Z", "lastTransitionedTime": "2026-11-24T12:33:00Z",
		"uptime1h": "30/36 (83.3%)", "latency1h": "3ms",
		"checkStatus": {
			"ap-south-prod": {"message": "Passed", "lastCheck": "2026-11-24T12:32:55Z", "lastTransitionedTime": "2026-11-24T12:00:00Z",
				"latency1h": "3ms", "uptime1h": "12/12 (100.0%)"},
			"eu-west-prod": {"message": "Failed", "errorMessage": "expected 500 to be in [200]", "lastCheck": "2026-11-24T12:32:40Z",
				"lastTransitionedTime": "2026-11-24T12:00:00Z", "latency1h": "3ms", "uptime1h": "6/12 (50.0%)"},
			"us-east-prod": {"message": "Passed", "lastCheck": "2026-11-24T12:32:50Z", "lastTransitionedTime": "2026-11-24T12:00:00Z",
				"latency1h": "3ms", "uptime1h": "12/12 (100.0%)"}}}`)
	if diff := cmp.Diff(want, got.Status); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if wake := noon.Add(70 * time.Second); !got.Next.Equal(wake) {
		t.Errorf("it changes next at %s, not when the oldest check is stale, at %s", got.Next, wake)
	}
}

// with changes an agent.
func with(a Agent, change func(*Agent)) Agent {
	change(&a)
	return a
}

func away(a *Agent) { a.Away = Condition{Reason: "Unreachable", Detail: "10.0.0.1:6443: timed out"} }
func unheard(a *Agent) {
	*a = Agent{Name: a.Name, Unheard: true}
}
func noCopy(a *Agent) { *a = Agent{Name: a.Name} }
func conflict(a *Agent) {
	a.Out = Condition{Reason: "Conflict", Detail: "Canary payments/api exists in the member and was not created by fanout"}
}

// What one agent comes to, beside one that passes.
func TestStates(t *testing.T) {
	never, paused := every30s(), every30s()
	never.Schedule, paused.Paused = Schedule{}, true
	bad := every30s()
	bad.Schedule = ParseSchedule("sometimes", 0)
	young := func(a *Agent) { a.Created = StampOf(noon.Add(-time.Minute)) }
	old := func(*Agent) {}
	all := func(changes ...func(*Agent)) func(*Agent) {
		return func(a *Agent) {
			for _, change := range changes {
				change(a)
			}
		}
	}
	taken := object(t, `{"checks":{"api":"1"},"observedGeneration":2,"replicas":1}`)
	for _, row := range []struct {
		name                            string
		parent                          Parent
		status                          any
		change                          func(*Agent)
		state, message, entry, troubles string
	}{
		{"passed", every30s(), passing(0), old, "Passed", "2 passed; 2 in sync", "Passed", ""},
		{"with a text", every30s(), map[string]any{"status": "Passed", "message": "all is well", "lastCheck": "2026-11-24T12:33:00Z"}, old,
			"Passed", "2 passed; 2 in sync", "Passed: all is well", ""},
		{"failed", every30s(), failing(0, "no"), old, "Failed", "1 passed, 1 failed; 2 in sync", "Failed", "a: no"},
		{"failed without an error", every30s(), map[string]any{"status": "Failed", "lastCheck": "2026-11-24T12:33:00Z"}, old,
			"Failed", "1 passed, 1 failed; 2 in sync", "Failed", "a: failed"},
		{"invalid", every30s(), map[string]any{"status": "Invalid", "errorMessage": "no such field", "lastCheck": "2026-11-24T12:33:00Z"}, old,
			"Invalid", "1 passed, 1 invalid; 2 in sync", "Invalid", "a: no such field"},
		{"unknown word", every30s(), map[string]any{"status": "Degraded", "lastCheck": "2026-11-24T12:33:00Z"}, old,
			"Invalid", "1 passed, 1 invalid; 2 in sync", "Invalid: Degraded", "a: Degraded"},
		{"last check yesterday", every30s(), map[string]any{"status": "Passed", "lastCheck": "yesterday"}, old,
			"Passed", "2 passed; 2 in sync", "Passed: last check yesterday", ""},
		{"not quite stale", every30s(), passing(89 * time.Second), old, "Passed", "2 passed; 2 in sync", "Passed", ""},
		{"stale", every30s(), passing(90 * time.Second), old, "Stale", "1 passed, 1 stale; 2 in sync",
			"Stale, Passed before: canary-checker has not run it for three of its intervals; is it running there?",
			"a: canary-checker has not run it for three of its intervals; is it running there?"},
		{"stale and failed before", every30s(), failing(time.Hour, "no"), old, "Stale", "1 passed, 1 stale; 2 in sync",
			"Stale, Failed before: canary-checker has not run it for three of its intervals; is it running there?",
			"a: canary-checker has not run it for three of its intervals; is it running there?"},
		{"never stale without a schedule", never, passing(time.Hour), old, "Passed", "2 passed; 2 in sync", "Passed", ""},
		{"paused", paused, failing(time.Hour, "no"), old, "Paused", "2 paused; 2 in sync", "Paused, Failed before", ""},
		{"unreachable", every30s(), passing(time.Hour), away, "Unreachable", "1 passed, 1 unreachable; 1 in sync",
			"Unreachable, Passed before", "a: unreachable"},
		{"unauthorized", every30s(), nil, all(noCopy, func(a *Agent) { a.Away = Condition{Reason: "Unauthorized"} }),
			"Unreachable", "1 passed, 1 unreachable; 1 in sync", "Unreachable: Unauthorized", "a: unreachable: Unauthorized"},
		{"not heard of yet", every30s(), nil, unheard, "Pending", "1 passed, 1 pending; 1 in sync",
			"Pending: nothing was heard from the member since fanout started", ""},
		{"about to be written", every30s(), nil, noCopy, "Pending", "1 passed, 1 pending; 1 in sync, 1 out of sync",
			"Pending, out of sync (Waiting)", ""},
		{"conflict", every30s(), nil, all(noCopy, conflict), "Missing", "1 passed, 1 missing; 1 in sync, 1 out of sync",
			"Missing, out of sync (Conflict): Canary payments/api exists in the member and was not created by fanout",
			"a: Conflict: Canary payments/api exists in the member and was not created by fanout"},
		{"contested", every30s(), passing(0), func(a *Agent) { a.Out = Condition{Reason: "Contested", Detail: "another writer"} },
			"Passed", "2 passed; 1 in sync, 1 out of sync", "Passed, out of sync (Contested): another writer", "a: Contested: another writer"},
		{"an edit on its way", every30s(), passing(0), func(a *Agent) { a.Out.Reason = Waiting },
			"Passed", "2 passed; 1 in sync, 1 out of sync", "Passed, out of sync (Waiting)", ""},
		{"a reason that is none", every30s(), passing(0), func(a *Agent) { a.Out.Reason = "so, (what): x" },
			"Passed", "2 passed; 1 in sync, 1 out of sync", "Passed, out of sync (sowhatx)", "a: sowhatx"},
		{"new", every30s(), nil, young, "Pending", "1 passed, 1 pending; 2 in sync", "Pending", ""},
		{"no canary-checker", every30s(), nil, old, "Pending", "1 passed, 1 pending; 2 in sync",
			"Pending: no canary-checker has taken it up; is one running there, and does it watch this namespace?",
			"a: no canary-checker has taken it up; is one running there, and does it watch this namespace?"},
		{"taken up", every30s(), taken, old, "Pending", "1 passed, 1 pending; 2 in sync",
			"Pending: canary-checker has taken it up and not run it", "a: canary-checker has taken it up and not run it"},
		{"no checks", every30s(), object(t, `{"observedGeneration":1}`), old, "Pending", "1 passed, 1 pending; 2 in sync",
			"Pending: there are no checks in it", "a: there are no checks in it"},
		{"no schedule", never, taken, young, "Pending", "1 passed, 1 pending; 2 in sync",
			"Pending: neither schedule nor interval says when to run it", "a: neither schedule nor interval says when to run it"},
		{"bad schedule", bad, nil, young, "Pending", "1 passed, 1 pending; 2 in sync",
			`Pending: schedule "sometimes": expected exactly 5 fields, found 1: [sometimes]`, `a: schedule "sometimes": expected exactly 5 fields, found 1: [sometimes]`},
		{"hostile", every30s(), map[string]any{"status": "Failed", "errorMessage": "\x1b[2J\u202e\xff<script>", "lastCheck": "2105-01-01T00:00:00Z"}, old,
			"Failed", "1 passed, 1 failed; 2 in sync", "Failed: last check 2105-01-01T00:00:00Z", "a: [2J\ufffd<script>"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := agent("a", row.status)
			row.change(&a)
			got := aggregate(row.parent, a, agent("b", passing(0)))
			entry := got.Status["checkStatus"].(map[string]any)["a"].(map[string]any)
			want := map[string]any{"status": row.state, "message": "2 agents: " + row.message, "entry": row.entry, "errorMessage": row.troubles}
			if diff := cmp.Diff(want, map[string]any{"status": got.Status["status"], "message": got.Status["message"], "entry": entry["message"],
				"errorMessage": got.Status["errorMessage"]}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The parent's state is the worst of its agents'.
func TestWorstOfAll(t *testing.T) {
	agents := []Agent{
		agent("failed", failing(0, "no")), agent("invalid", map[string]any{"status": "Invalid", "lastCheck": "2026-11-24T12:33:00Z"}),
		with(agent("missing", nil), func(a *Agent) { noCopy(a); conflict(a) }), with(agent("unreachable", passing(0)), away),
		agent("stale", passing(time.Hour)), with(agent("pending", nil), noCopy), agent("passed", passing(0)),
	}
	for i, want := range []State{Failed, Invalid, Missing, Unreachable, Stale, Pending, Passed} {
		if got := aggregate(every30s(), agents[i:]...).Shown.State; got != want {
			t.Errorf("of %s and those after it the state is %s", want, got)
		}
	}
	got := aggregate(every30s(), agents...)
	if want := "7 agents: 1 passed, 1 failed, 1 invalid, 1 missing, 1 unreachable, 1 stale, 1 pending; 4 in sync, 2 out of sync"; got.Status["message"] != want {
		t.Errorf("message %q", got.Status["message"])
	}
	if want := "failed: no; invalid: invalid; missing: Conflict: Canary payments/api exists in the member and was not created by fanout; " +
		"unreachable: unreachable; stale: canary-checker has not run it for three of its intervals; is it running there?"; got.Status["errorMessage"] != want {
		t.Errorf("errorMessage %q", got.Status["errorMessage"])
	}
	if got.Status["uptime1h"] != "18/24 (75.0%)" {
		t.Errorf("the uptime of what was run in the last hour, and can be asked, is %s", got.Status["uptime1h"])
	}
}

func TestParentWithoutAgents(t *testing.T) {
	got := aggregate(every30s())
	want := map[string]any{"status": "Pending", "message": "0 agents: agentSelector matches none of those that are registered",
		"errorMessage": "", "uptime1h": "", "latency1h": "", "lastTransitionedTime": "2026-11-24T12:33:00Z",
		"checkStatus": map[string]any{}}
	if diff := cmp.Diff(want, got.Status); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInvalidSelector(t *testing.T) {
	p := every30s()
	p.Fault = "pattern 2, \"eu-[\", at 4: no closing ]"
	for _, row := range []struct {
		agents                 []Agent
		state, message, errors string
	}{
		{nil, "Invalid", "0 agents", `agentSelector: pattern 2, "eu-[", at 4: no closing ]`},
		{[]Agent{agent("a", passing(0))}, "Invalid", "1 agent: 1 passed; 1 in sync", `agentSelector: pattern 2, "eu-[", at 4: no closing ]`},
		{[]Agent{agent("a", failing(0, "no"))}, "Failed", "1 agent: 1 failed; 1 in sync", `agentSelector: pattern 2, "eu-[", at 4: no closing ]; a: no`},
	} {
		got := aggregate(p, row.agents...)
		want := []any{row.state, "agentSelector is not valid, so the copies stay as they are; " + row.message, row.errors}
		if diff := cmp.Diff(want, []any{got.Status["status"], got.Status["message"], got.Status["errorMessage"]}); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestAllAgentsRefused(t *testing.T) {
	var agents []Agent
	for i := range 7 {
		agents = append(agents, Agent{Name: fmt.Sprintf("a%d", i), Out: Condition{Reason: "NamespaceNotAllowed", Detail: "ask the member's owner"}})
	}
	got := aggregate(every30s(), agents...)
	errors, _ := got.Status["errorMessage"].(string)
	if got.Status["status"] != "Missing" || got.Status["message"] != "7 agents: 7 missing; 0 in sync, 7 out of sync" ||
		!strings.HasPrefix(errors, "a0: NamespaceNotAllowed: ask the member's owner; a1: ") || !strings.HasSuffix(errors, " (2 more)") {
		t.Errorf("it is %s", text(t, got.Status))
	}
}

// The time of the transition is the hub's, and stays while the state does.
func TestTransitionedTime(t *testing.T) {
	first := aggregate(every30s(), agent("a", passing(0)))
	later := Aggregate(every30s(), []Agent{agent("a", passing(0)), agent("b", passing(0))}, first.Shown, noon.Add(time.Minute/2))
	if later.Status["lastTransitionedTime"] != first.Status["lastTransitionedTime"] {
		t.Errorf("still passing, it transitioned at %s", later.Status["lastTransitionedTime"])
	}
	failed := Aggregate(every30s(), []Agent{agent("a", failing(0, "no"))}, later.Shown, noon.Add(time.Minute/2))
	if want := "2026-11-24T12:33:30Z"; failed.Status["lastTransitionedTime"] != want {
		t.Errorf("failing, it transitioned at %s, not %s", failed.Status["lastTransitionedTime"], want)
	}
}

// What a member says of the future is not believed by the parent.
func TestFutureTimes(t *testing.T) {
	status := passing(-24 * time.Hour)
	got := aggregate(every30s(), agent("a", status))
	if got.Status["lastCheck"] != noon.Format(time.RFC3339) {
		t.Errorf("the last check was at %s", got.Status["lastCheck"])
	}
	if stale := Aggregate(every30s(), []Agent{agent("a", status)}, got.Shown, noon.Add(2*time.Minute)); stale.Shown.State != Stale {
		t.Errorf("two minutes later it is %s", stale.Shown.State)
	}
}

// A member whose clock is late is as current as its last check that fanout saw come in.
func TestLateClock(t *testing.T) {
	var reader Reader
	a := agent("a", nil)
	a.Result = reader.Read(passing(time.Hour), Result{}, noon)
	if got := aggregate(every30s(), a).Shown.State; got != Stale {
		t.Errorf("by its own word it is %s", got)
	}
	a.Result = reader.Read(passing(time.Hour-30*time.Second), a.Result, noon)
	got := aggregate(every30s(), a)
	if wake := noon.Add(90 * time.Second); got.Shown.State != Passed || !got.Next.Equal(wake) {
		t.Errorf("when it has checked again it is %s until %s, not until %s", got.Shown.State, got.Next, wake)
	}
}
