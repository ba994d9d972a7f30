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

	a, b := api.Canary{Namespace: "x", Name: "a", Agents: 2}, api.Canary{Namespace: "x", Name: "b", Agents: 3}
	other, moving := api.Canary{Namespace: "a", Name: "z"}, api.Canary{Namespace: "x", Name: "b", Agents: 2}
	canaries := mergeCanaries([]api.Canaries{{Teller: one, Items: []api.Canary{a, b}}, {Teller: two, Items: []api.Canary{other, moving}}})
	same(t, "canaries", canaries, api.Canaries{Teller: both, Items: []api.Canary{other, a, b}})
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
