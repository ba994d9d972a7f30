package bench

import (
	"fmt"
	"testing"
	"time"
)

// noopRestart starts fanout over members that are in sync.
func noopRestart(t *testing.T, w *world) {
	w.start(t, w.many, w.parents)
	w.check(t)
	w.reported(t)
	steady := w.footprint(t)
	w.stop(t)
	members := written(w.counts(t))
	hub := w.hubWrites(t)
	var ready, bare []time.Duration
	var cpu, most []float64
	for range 3 {
		bare = append(bare, w.bareLists(t))
		began := time.Now()
		f := w.start(t, w.many, w.parents)
		ready = append(ready, w.since.Sub(began))
		cpu = append(cpu, cpuOf(t, f.PID()).Seconds())
		_, peak := memoryOf(t, f.PID())
		most = append(most, peak)
		w.stop(t)
	}
	conditions := fmt.Sprintf("%d members × %d copies, all in sync and taken in by canary-checker", w.many, w.parents)
	w.figures.add(t, "noop-restart-writes", float64(written(w.counts(t))-members+w.hubWrites(t).since(hub).all()), "writes", "to hub and members; "+conditions)
	w.figures.against(t, "noop-restart", median(ready).Seconds(), median(bare).Seconds(), "s", fmt.Sprintf(
		"until all is known to be in sync; the floor lists all members; CPU %.1f s; %s", median(cpu), conditions))
	w.figures.against(t, "noop-restart-memory", median(most)/mebi, steady.resident/mebi, "MiB", "the most that was resident while starting; the floor is what was when at rest before; "+conditions)
}
