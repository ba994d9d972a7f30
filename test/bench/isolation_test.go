package bench

import (
	"fmt"
	"testing"
	"time"

	"fanout/test/simulator"
)

// isolation is what healthy members notice of others that are black holes.
func isolation(t *testing.T, w *world) {
	if w.held > 1 {
		w.wipe(t)
	}
	w.start(t, w.many, 1, "--probe-timeout=5s") // the default
	holes := w.many * 3 / 10
	rounds := 0
	edits := func(count, of int) (took []time.Duration) {
		for range count {
			rounds++
			schedule := fmt.Sprintf("@every %dh3m", rounds)
			arrived := w.expect(t, schedule, of)
			accepted := w.edit(t, "held-0", schedule)
			for _, arrival := range arrived() {
				if arrival.Member >= holes {
					took = append(took, max(arrival.Time.Sub(accepted), 0))
				}
			}
		}
		return took
	}
	behave := func(b simulator.Behaviour) {
		b.To = holes
		if err := w.simulator.Behave(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	edits(3, w.many) // warm
	without := edits(w.rounds, w.many)
	behave(simulator.Behaviour{Blackhole: true})
	with := edits(w.rounds, w.many-holes)
	before := w.footprint(t)
	for began := time.Now(); time.Since(began) < w.flat; {
		edits(1, w.many-holes)
		settle(t, w.observe/10)
	}
	after := w.footprint(t)
	behave(simulator.Behaviour{})
	w.synced(t, w.many)
	without = append(without, edits(w.rounds, w.many)...)
	conditions := fmt.Sprintf("p99 of an edit's way to %d healthy members, with %d black holes beside; the floor is without; %d edits each", w.many-holes, holes, w.rounds)
	w.figures.against(t, "isolation", milliseconds(percentile(with, 99)), milliseconds(percentile(without, 99)), "ms", conditions)
	w.figures.against(t, "isolation-memory", after.resident/mebi, before.resident/mebi, "MiB", fmt.Sprintf(
		"resident memory after %s with black holes and edits; the floor is before", w.flat))
	w.wipe(t)
}
