package clusters

import (
	"fmt"
	"maps"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"
)

// members reads the metric fanout_members: a number for every state, there or not.
func members(t rapid.TB, registry *prometheus.Registry) map[State]int {
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "fanout_members" {
		t.Fatalf("gathered %v, %v", families, err)
	}
	all := map[State]int{}
	for _, metric := range families[0].GetMetric() {
		all[State(metric.GetLabel()[0].GetValue())] = int(metric.GetGauge().GetValue())
	}
	return all
}

func allStates(members map[State]int) map[State]int {
	all := map[State]int{Connecting: 0, Connected: 0, Unreachable: 0, Unauthorized: 0, Forbidden: 0, Refused: 0, Leaving: 0}
	maps.Copy(all, members)
	return all
}

func TestAMemberCountsUnderOneState(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry, clocktesting.NewFakePassiveClock(monday))
	for _, step := range []struct {
		do   func()
		want map[State]int
	}{
		{func() {}, nil},
		{func() { m.enter("a", Connecting) }, map[State]int{Connecting: 1}},
		{func() { m.enter("a", Connected) }, map[State]int{Connected: 1}},
		{func() { m.enter("a", Connected) }, map[State]int{Connected: 1}},
		{func() { m.enter("b", Connected) }, map[State]int{Connected: 2}},
		{func() { m.enter("a", Unreachable) }, map[State]int{Connected: 1, Unreachable: 1}},
		{func() { m.forget("b") }, map[State]int{Unreachable: 1}},
		{func() { m.forget("b") }, map[State]int{Unreachable: 1}},
		{func() { m.forget("never-there") }, map[State]int{Unreachable: 1}},
		{func() { m.enter("b", Leaving) }, map[State]int{Unreachable: 1, Leaving: 1}},
	} {
		step.do()
		if got, want := fmt.Sprint(members(t, registry)), fmt.Sprint(allStates(step.want)); got != want {
			t.Errorf("the members are %s, want %s", got, want)
		}
	}
}

func TestEveryMemberIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		registry := prometheus.NewRegistry()
		m := NewMetrics(registry, clocktesting.NewFakePassiveClock(monday))
		now := map[string]State{}
		agents, any := rapid.SampledFrom([]string{"a", "b", "c"}), rapid.SampledFrom(states)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			agent := agents.Draw(t, "agent")
			if rapid.Bool().Draw(t, "goes") {
				m.forget(agent)
				delete(now, agent)
			} else {
				now[agent] = any.Draw(t, "state")
				m.enter(agent, now[agent])
			}
		}
		want := map[State]int{}
		for _, state := range now {
			want[state]++
		}
		if got := members(t, registry); fmt.Sprint(got) != fmt.Sprint(allStates(want)) {
			t.Fatalf("the members are %v, want %v", got, want)
		}
	})
}
