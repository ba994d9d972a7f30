package pods

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fanout/pkg/api"
)

// Each of those that share the members knows its own, and together they know all.
func TestMerge(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	later := noon.Add(time.Second)
	one, two := api.Teller{Version: "v1.0.0", Replica: "fanout-0", Time: noon}, api.Teller{Version: "v1.0.0", Replica: "fanout-1", Time: later}
	both := api.Teller{Version: "v1.0.0", Time: later}

	agents := mergeAgents([]api.Agents{
		{Teller: one, Items: []api.Agent{{Name: "b"}, {Name: "c", InSync: 3}}},
		{Teller: two, Items: []api.Agent{{Name: "a", InSync: 1}, {Name: "b", ServerVersion: "v1.34.0", InSync: 2}}},
	})
	same(t, "agents", agents, api.Agents{Teller: both, Items: []api.Agent{{Name: "a", InSync: 1}, {Name: "b", ServerVersion: "v1.34.0", InSync: 2}, {Name: "c", InSync: 3}}})

	a := api.Canary{Namespace: "x", Name: "c", State: "Passed", Agents: 2, InSync: 2, States: map[string]int{"Passed": 2}, Uptime: "12/12 (100.0%)", Latency: "12ms", LastCheck: &noon, Copies: []api.Copy{{Agent: "d"}, {Agent: "b"}}}
	b := api.Canary{Namespace: "x", Name: "c", State: "Failed", Agents: 1, OutOfSync: 1, States: map[string]int{"Failed": 1}, Uptime: "6/12 (50.0%)", Latency: "2s", LastCheck: &later, Copies: []api.Copy{{Agent: "c"}}}
	other := api.Canary{Namespace: "a", Name: "z", State: "Pending"}
	sum := api.Canary{Namespace: "x", Name: "c", State: "Failed", Message: "3 agents: 1 failed, 2 passed; 2 in sync", Agents: 3, InSync: 2, OutOfSync: 1, States: map[string]int{"Passed": 2, "Failed": 1},
		Uptime: "18/24 (75.0%)", Latency: "2s", LastCheck: &later, Copies: []api.Copy{{Agent: "b"}, {Agent: "c"}, {Agent: "d"}}}
	same(t, "canaries", mergeCanaries([]api.Canaries{{Teller: one, Items: []api.Canary{a}}, {Teller: two, Items: []api.Canary{b, other}}}), api.Canaries{Teller: both, Items: []api.Canary{other, sum}})
	same(t, "canary", mergeOne([]api.OneCanary{{Teller: one, Canary: a}, {Teller: two, Canary: b}}), api.OneCanary{Teller: both, Canary: sum})
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
