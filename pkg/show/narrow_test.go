package show

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanout/pkg/api"
)

func TestNarrow(t *testing.T) {
	n := func(n uint32) *uint32 { return &n }
	whole := api.Canary{Name: "x", State: "Failed", Agents: 3, InSync: 2, OutOfSync: 1, Uptime: "30/36 (83.3%)", Copies: []api.Copy{
		{Agent: "a", State: "Failed", InSync: true, Passed: n(6), Runs: n(12), Latency: "2s", LatencyMillis: n(2000)},
		{Agent: "b", State: "Passed", InSync: true, Passed: n(12), Runs: n(12), Latency: "9ms", LatencyMillis: n(9)},
		{Agent: "c", State: "Missing", OutOfSync: &api.Condition{Reason: "Conflict"}},
	}}
	got := Narrow(whole, func(c *api.Copy) bool { return c.Agent != "a" })
	got.Copies = nil
	want := api.Canary{Name: "x", State: "Missing", Message: "2 of 3 agents", Agents: 2, InSync: 1, OutOfSync: 1, States: map[string]int{"Passed": 1, "Missing": 1},
		Uptime: "12/12 (100.0%)", Latency: "9ms"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := Narrow(whole, func(*api.Copy) bool { return false }); got.State != "Pending" || got.Agents != 0 || got.Uptime != "" {
		t.Errorf("of no agent: %+v", got)
	}
}
