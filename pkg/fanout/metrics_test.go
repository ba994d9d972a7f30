package fanout

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// series returns a metric's series as "label=value … number", sorted.
func series(t *testing.T, registry *prometheus.Registry, name string) []string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			var parts []string
			for _, label := range metric.GetLabel() {
				parts = append(parts, label.GetName()+"="+label.GetValue())
			}
			value := metric.GetGauge().GetValue() + metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
			all = append(all, strings.Join(append(parts, fmt.Sprint(value)), " "))
		}
	}
	slices.Sort(all)
	return all
}

func TestParentsAreCountedByTheirSelector(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	valid := parentOf(t, aParent())
	invalid := parentOf(t, aParent(withSelector([]any{"["})))
	none := parentOf(t, aParent(withoutSpec("agentSelector")))

	for _, step := range []struct {
		old, new *parent
		want     []string
	}{
		{nil, valid, []string{"selector=valid 1"}},
		{nil, valid, []string{"selector=valid 2"}},
		{nil, none, []string{"selector=valid 2"}},
		{valid, valid, []string{"selector=valid 2"}},
		{valid, invalid, []string{"selector=invalid 1", "selector=valid 1"}},
		{none, valid, []string{"selector=invalid 1", "selector=valid 2"}},
		{valid, none, []string{"selector=invalid 1", "selector=valid 1"}},
		{invalid, nil, []string{"selector=invalid 0", "selector=valid 1"}},
		{valid, nil, []string{"selector=invalid 0", "selector=valid 0"}},
	} {
		m.parentChanged(step.old, step.new)
		mustEqual(t, "fanout_parents", series(t, registry, "fanout_parents"), step.want)
	}
}

func TestAMembersSeriesAreItsOwn(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	for _, agent := range []string{member1, member2} {
		member := m.forMember(agent)
		member.wrote("created")
		member.wrote("created")
		member.failed("Forbidden")
		member.synced(7, 3)
		member.propagated(20 * time.Millisecond)
	}
	m.forMember(member1).forget()
	for name, want := range map[string][]string{
		"fanout_writes_total":        {"action=created agent=us-east-prod 2"},
		"fanout_sync_errors_total":   {"agent=us-east-prod reason=Forbidden 1"},
		"fanout_derived_canaries":    {"agent=us-east-prod 7"},
		"fanout_queue_depth":         {"agent=us-east-prod 3"},
		"fanout_propagation_seconds": {"2"},
	} {
		mustEqual(t, name, series(t, registry, name), want)
	}
}
