package bench

import (
	"fmt"
	"testing"
	"time"
)

// propagation is one edit's way to real members.
func propagation(t *testing.T, w *world) {
	f := newField(t, w)
	took := map[string][]time.Duration{}
	for round := range w.rounds {
		for _, c := range f.contenders {
			took[c.namespace] = append(took[c.namespace], f.edit(t, c, fmt.Sprintf("@every %dm", round+1)))
		}
	}
	conditions := fmt.Sprintf("from the hub having accepted an edit until the last of %d real members has it; %d edits", w.real, w.rounds)
	for _, which := range []struct {
		name    string
		percent int
	}{{"propagation", 50}, {"propagation-p99", 99}} {
		ours := milliseconds(percentile(took[ofFanout], which.percent))
		floor, watching := milliseconds(percentile(took[ofFloor], which.percent)), milliseconds(percentile(took[ofWatching], which.percent))
		w.figures.against(t, which.name, ours, floor, "ms", fmt.Sprintf("%s; %.2f × the floor with a watch (%.1f)", conditions, ours/watching, watching))
	}
}

// bulk is many new parents at once for real members.
func bulk(t *testing.T, w *world) {
	f := newField(t, w)
	took, cpu := map[string][]time.Duration{}, map[string][]time.Duration{}
	rounds := max(w.rounds/20, 3)
	requests := 0.0
	for round := range rounds {
		for _, c := range f.contenders {
			if c.namespace == ofFanout {
				requests -= f.requests(t)
			}
			wall, used := f.fill(t, c, round, w.fresh)
			took[c.namespace], cpu[c.namespace] = append(took[c.namespace], wall), append(cpu[c.namespace], used)
			if c.namespace == ofFanout {
				requests += f.requests(t)
			}
		}
	}
	conditions := fmt.Sprintf("%d new parents × %d real members; %d rounds", w.fresh, w.real, rounds)
	middle := func(of map[string][]time.Duration, namespace string) float64 {
		return milliseconds(median(of[namespace]))
	}
	w.figures.against(t, "bulk", middle(took, ofFanout), middle(took, ofWatching), "ms", fmt.Sprintf(
		"until the last copy stands; the floor holds a watch, and one without takes %.0f; %s", middle(took, ofFloor), conditions))
	w.figures.against(t, "bulk-cpu", middle(cpu, ofFanout), middle(cpu, ofWatching), "ms", fmt.Sprintf(
		"CPU; the floor holds a watch, and one without takes %.0f; %s", middle(cpu, ofFloor), conditions))
	w.figures.add(t, "bulk-requests", requests/float64(rounds*w.fresh*w.real), "requests", "to members per copy; "+conditions)
}
