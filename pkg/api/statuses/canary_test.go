package statuses

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/api"
)

// parent is one with that selector and status.
func parent(selector any, status any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"namespace": "payments", "name": "api-health", "generation": int64(3)},
		"spec":     map[string]any{"schedule": "@every 30s", "agentSelector": selector},
		"status":   status,
	}}
}

// A status as fanout writes it is told as its controller would tell it, agent by agent in the order of their names.
func TestReadsWhatAStatusSays(t *testing.T) {
	c := read(parent([]any{"tier=prod", "local"}, map[string]any{
		"status": "Failed", "message": "4 agents: 1 passed, 1 failed, 1 missing, 1 unreachable; 2 in sync, 1 out of sync", "uptime1h": "17/24 (70.8%)", "latency1h": "12ms",
		"lastCheck": "2026-11-26T12:00:00Z", "lastTransitionedTime": "2026-11-26T11:00:00Z",
		"checkStatus": map[string]any{
			"us-east-prod": map[string]any{"message": "Failed", "errorMessage": "expected 500", "lastCheck": "2026-11-26T12:00:00Z", "uptime1h": "6/12 (50.0%)", "latency1h": "12ms"},
			"local":        map[string]any{"message": "Missing, out of sync (Conflict): it was not created by fanout"},
			"eu-west-prod": map[string]any{"message": "Unreachable, Passed before: Unauthorized"},
			"eu-west-dev":  map[string]any{"message": "Passed: all is well", "lastTransitionedTime": "2026-11-26T11:00:00Z", "uptime1h": "11/12 (91.7%)"},
		},
	}), map[string]map[string]string{"us-east-prod": {"tier": "prod"}, "eu-west-prod": {"tier": "dev"}})

	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	eleven, passed, runs, few, latency := noon.Add(-time.Hour), uint32(6), uint32(12), uint32(11), uint32(12)
	want := api.Canary{
		Namespace: "payments", Name: "api-health", Generation: 3, Selector: []string{"tier=prod", "local"}, Schedule: "@every 30s",
		State: "Failed", Message: "4 agents: 1 passed, 1 failed, 1 missing, 1 unreachable; 2 in sync, 1 out of sync",
		LastCheck: &noon, LastTransition: &eleven, Uptime: "17/24 (70.8%)", Latency: "12ms",
		Agents: 4, States: map[string]int{"Passed": 1, "Failed": 1, "Missing": 1, "Unreachable": 1}, InSync: 2, OutOfSync: 1,
		Copies: []api.Copy{
			{Agent: "eu-west-dev", Namespace: "payments", Name: "api-health", State: "Passed", Text: "all is well", InSync: true, LastTransition: &eleven, Uptime: "11/12 (91.7%)", Passed: &few, Runs: &runs},
			{Agent: "eu-west-prod", Namespace: "payments", Name: "api-health", State: "Unreachable", Before: "Passed", Text: "Unauthorized", Away: &api.Condition{Reason: "Unauthorized"}},
			{Agent: "local", Namespace: "payments", Name: "api-health-local", SelectedBy: "local", State: "Missing", Text: "it was not created by fanout",
				OutOfSync: &api.Condition{Reason: "Conflict", Detail: "it was not created by fanout"}},
			{Agent: "us-east-prod", Namespace: "payments", Name: "api-health", SelectedBy: "tier=prod", State: "Failed", Error: "expected 500", InSync: true, LastCheck: &noon,
				Uptime: "6/12 (50.0%)", Latency: "12ms", Passed: &passed, Runs: &runs, LatencyMillis: &latency},
		},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A status that anybody may have written is read as far as it goes: nothing of it is believed that fanout would not write, and nothing is an
// error.
func TestReadsOddStatuses(t *testing.T) {
	agent := func(entry any) any { return map[string]any{"checkStatus": map[string]any{"eu-west-prod": entry}} }
	for name, status := range map[string]any{
		"none":                          nil,
		"a text":                        "Passed",
		"another kind of checks":        map[string]any{"checkStatus": []any{"eu-west-prod"}},
		"checks of a canary-checker's":  agent(map[string]any{"message": "", "uptime1h": "3/3 (100.0%)"}),
		"an entry that is a number":     agent(int64(7)),
		"times that are none":           map[string]any{"lastCheck": "yesterday", "lastTransitionedTime": int64(7), "status": int64(1)},
		"a state that nobody has heard": map[string]any{"status": "Splendid", "message": "-1 agents: 99999999999 passed"},
	} {
		c := read(parent([]any{"*"}, status), nil)
		if c.State != "Pending" || len(c.Copies) != 0 || c.Agents != 0 || len(c.States) != 0 || c.LastCheck != nil || c.LastTransition != nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
	long := strings.Repeat("x\x1b", 1<<19)
	texts := map[string]any{"message": "Failed, out of sync (" + long + "): " + long, "errorMessage": long, "uptime1h": long, "latency1h": long}
	status := agent(texts).(map[string]any)
	maps.Copy(status, texts)
	c := read(parent([]any{"*"}, status), nil)
	one := c.Copies[0]
	all := c.Message + c.Uptime + c.Latency + one.Text + one.Error + one.Uptime + one.Latency + one.OutOfSync.Reason
	if len(all) > 5000 || strings.Contains(all, "\x1b") {
		t.Errorf("of a hostile status %d bytes are told", len(all))
	}
}

// Whatever stands where the selector should is told, and it is still a parent.
func TestReadsOddSelectors(t *testing.T) {
	for _, row := range []struct {
		selector any
		isParent bool
		fault    string
	}{
		{nil, false, ""},
		{[]any{}, false, ""},
		{[]any{"*"}, true, ""},
		{"*", true, "not a list of patterns"},
		{[]any{int64(7)}, true, "not a list of patterns"},
		{[]any{"{eu"}, true, "unclosed {"},
	} {
		object := parent(row.selector, nil)
		if got := isParent(object); got != row.isParent {
			t.Errorf("%v: a parent: %t", row.selector, got)
		}
		if fault := read(object, nil).Fault; row.isParent && (!strings.Contains(fault, row.fault) || (fault == "") != (row.fault == "")) {
			t.Errorf("%v: %q", row.selector, fault)
		}
	}
}
