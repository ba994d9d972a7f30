package results

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShown(t *testing.T) {
	contested := func(a *Agent) { a.Out = Condition{Reason: "Contested"} }
	got := aggregate(every30s(), agent("d", failing(0, "no")), with(agent("c", failing(0, "no")), away), with(agent("b", passing(0)), contested),
		agent("a", passing(0))).Shown
	want := Shown{State: Failed, Transitioned: StampOf(noon), Agents: 4, InSync: 2, Out: 1, Failing: []string{"c", "d"}, Generation: 1,
		Whole: got.Whole, Shape: got.Shape}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var many []Agent
	for i := range maxFailing + 1 {
		many = append(many, agent(fmt.Sprint(i), failing(0, "no")))
	}
	if got := aggregate(every30s(), many...).Shown; len(got.Failing) != maxFailing || !got.MoreFailing {
		t.Errorf("of %d that fail %d are kept, and that there are more is %t", len(many), len(got.Failing), got.MoreFailing)
	}
	if diff := cmp.Diff(Shown{}, ReadShown(nil)); diff != "" {
		t.Errorf("of no status (-want +got):\n%s", diff)
	}
}

// Before a Canary has an agentSelector, canary-checker runs it, and its status stays there. None of it is taken for fanout's.
func TestStatusOfACanaryThatBecomesAParent(t *testing.T) {
	for _, name := range []string{"many-checks.json", "two-checks.json", "bad-schedule.json", "no-schedule.json"} {
		status := recordedCanary(t, name)["status"].(map[string]any)
		shown := ReadShown(status)
		if len(ReadEntries(status)) > 0 || len(shown.Failing) > 0 || shown.Agents != 0 {
			t.Errorf("%s: %d entries, and it shows %+v", name, len(ReadEntries(status)), shown)
		}
		got := aggregate(every30s(), agent("a", passing(0)))
		if left := got.Leftovers(got.Status); left != nil {
			t.Errorf("of fanout's own status is to go: %v", left)
		}
		// Server-side apply takes nothing away of what canary-checker owns.
		both := maps.Clone(status)
		maps.Copy(both, got.Status)
		entries, _ := status["checkStatus"].(map[string]any)
		maps.Copy(both["checkStatus"].(map[string]any), entries)
		patch := got.Leftovers(both)
		if gone, _ := patch["checkStatus"].(map[string]any); len(gone) != len(entries) || patch["lastCheck"] != nil {
			t.Errorf("%s: is to go: %v", name, patch)
		}
		if _, timed := got.Leftovers(status)["lastCheck"]; timed != (status["lastCheck"] != nil) {
			t.Errorf("%s: the time of its last check stays: %t", name, !timed)
		}
		if Farewell(status) != nil {
			t.Errorf("%s is taken for fanout's: is to go: %v", name, Farewell(status))
		}
		if gone := Farewell(both); len(gone) != len(scalars)+1 || len(gone["checkStatus"].(map[string]any)) != 1 {
			t.Errorf("%s: when it is no parent any more, is to go: %v", name, gone)
		}
		none := aggregate(every30s())
		if patch := none.Leftovers(both); len(patch["checkStatus"].(map[string]any)) != len(entries)+1 {
			t.Errorf("%s: when there are no agents, is to go: %v", name, patch)
		}
		if left := ReadShown(both); left.Whole != got.Shown.Whole {
			t.Errorf("%s: what is left of it makes a difference", name)
		}
	}
}

// Each field makes a difference to the whole, and to the shape what is a transition.
func TestDigests(t *testing.T) {
	base := func() map[string]any { return aggregate(every30s(), agent("a", failing(0, "no"))).Status }
	was := ReadShown(base())
	entry := func(status map[string]any) map[string]any {
		return status["checkStatus"].(map[string]any)["a"].(map[string]any)
	}
	for name, row := range map[string]struct {
		change func(map[string]any)
		shape  bool
	}{
		"status":               {func(s map[string]any) { s["status"] = "Passed" }, true},
		"message":              {func(s map[string]any) { s["message"] = "1 agent: 1 passed; 1 in sync" }, true},
		"errorMessage":         {func(s map[string]any) { s["errorMessage"] = "other" }, false},
		"lastCheck":            {func(s map[string]any) { delete(s, "lastCheck") }, false},
		"lastTransitionedTime": {func(s map[string]any) { s["lastTransitionedTime"] = "2026-11-24T12:33:01Z" }, false},
		"uptime1h":             {func(s map[string]any) { s["uptime1h"] = "x" }, false},
		"latency1h":            {func(s map[string]any) { s["latency1h"] = "x" }, false},
		"an agent's state":     {func(s map[string]any) { entry(s)["message"] = "Passed" }, true},
		"an agent's sync":      {func(s map[string]any) { entry(s)["message"] = "Failed, out of sync (Conflict)" }, true},
		"an agent's text":      {func(s map[string]any) { entry(s)["message"] = "Failed: text" }, false},
		"an agent's error":     {func(s map[string]any) { entry(s)["errorMessage"] = "other" }, false},
		"an agent's latency":   {func(s map[string]any) { delete(entry(s), "latency1h") }, false},
		"an agent":             {func(s map[string]any) { delete(s, "checkStatus") }, true},
	} {
		status := base()
		row.change(status)
		if is := ReadShown(status); is.Whole == was.Whole || (is.Shape != was.Shape) != row.shape {
			t.Errorf("%s: the whole differs: %t, the shape: %t", name, is.Whole != was.Whole, is.Shape != was.Shape)
		}
	}
	for _, field := range []string{"checks", "observedGeneration", "replicas", "selector", "persistedID"} {
		status := base()
		status[field] = "x"
		if ReadShown(status).Whole != was.Whole {
			t.Errorf("%s, which is not fanout's, makes a difference", field)
		}
	}
}
