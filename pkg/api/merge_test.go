package api

import (
	"testing"
	"time"
)

// Each of those that share the members knows its own, and together they know all.
func TestMerge(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	one := Teller{Version: "v1.0.0", Replica: "fanout-0", Time: noon}
	two := Teller{Version: "v1.0.0", Replica: "fanout-1", Time: noon.Add(time.Second)}
	agents := MergeAgents([]Agents{
		{Teller: one, Items: []Agent{{Name: "b"}, {Name: "a", ServerVersion: "v1.35.0", InSync: 3}}},
		{Teller: two, Items: []Agent{{Name: "a"}, {Name: "b", ServerVersion: "v1.34.0", InSync: 2}}},
	})
	if len(agents.Items) != 2 || agents.Items[0].InSync != 3 || agents.Items[1].InSync != 2 || agents.Teller.Replica != "" || !agents.Teller.Time.Equal(two.Time) {
		t.Errorf("agents: %+v", agents)
	}

	part := func(teller Teller, state string) Canaries {
		return Canaries{Teller: teller, Items: []Canary{{Namespace: "x", Name: "c", State: state, Agents: 1, InSync: 1, States: map[string]int{state: 1}}}}
	}
	canaries := MergeCanaries([]Canaries{part(one, "Passed"), part(two, "Failed")})
	if len(canaries.Items) != 1 || canaries.Items[0].Agents != 2 || canaries.Items[0].InSync != 2 || canaries.Items[0].States["Failed"] != 1 {
		t.Errorf("canaries: %+v", canaries)
	}

	of := func(teller Teller, copies ...Copy) OneCanary {
		return OneCanary{Teller: teller, Canary: Canary{Namespace: "x", Name: "c", Copies: copies}}
	}
	canary := MergeCanary([]OneCanary{of(one, Copy{Agent: "b", State: "Pending"}), of(two, Copy{Agent: "a", State: "Passed", InSync: true}, Copy{Agent: "b", State: "Failed", Heard: &noon, OutOfSync: &Condition{Reason: "Waiting"}})})
	if c := canary.Canary; len(c.Copies) != 2 || c.Copies[0].Agent != "a" || c.Copies[1].State != "Failed" || c.Agents != 2 || c.InSync != 1 || c.OutOfSync != 1 {
		t.Errorf("canary: %+v", c)
	}
}
