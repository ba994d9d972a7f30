package member

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fanout/pkg/fanout/fanouttest"
)

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
		mustEqual(t, name, fanouttest.Series(t, registry, name), want)
	}
}
