package bench

import (
	"fmt"
	"testing"
	"time"
)

// probePeriod is fanout's default.
const probePeriod = 10 * time.Second

// idle is what fanout takes where nothing happens.
func idle(t *testing.T, w *world) {
	if w.held > 0 {
		w.wipe(t)
	}
	f := w.start(t, w.most, 0)
	settle(t, probePeriod) // of starting, nothing is left
	profiled := w.profileCPU(t, int(w.observe.Seconds()))
	before, cpu, began := w.counts(t), cpuOf(t, f.PID()), time.Now()
	settle(t, w.observe)
	cpu = cpuOf(t, f.PID()) - cpu
	took, after := time.Since(began), w.counts(t)
	profiled()
	requests := 0.0
	for what, count := range after.Requests {
		requests += float64(count - before.Requests[what])
	}
	conditions := fmt.Sprintf("%d members, no copy, %s", w.most, took.Round(time.Second))
	w.figures.add(t, "idle", cpu.Seconds()/took.Seconds(), "cores", conditions)
	w.figures.add(t, "idle-requests", requests/float64(w.most)/(took.Seconds()/probePeriod.Seconds()), "requests", "per member and probe period; "+conditions)
}
