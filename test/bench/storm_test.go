package bench

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"fanout/pkg/results"
)

// stormPeriod is how often each status changes.
const stormPeriod = 30 * time.Second

// statusStorm is what fanout takes while canary-checker writes statuses in all members: it watches the objects, keeps what they say, and
// writes the parents' statuses no more often than it may.
func statusStorm(t *testing.T, w *world) {
	f := w.start(t, w.many, w.parents)
	settle(t, 2*results.TransitionPause) // for statuses
	w.told(t)
	silent := w.usage(t) // nothing has been run in any member yet
	w.check(t)
	if err := w.simulator.Storm(t.Context(), stormPeriod); err != nil {
		t.Fatal(err)
	}
	calm := sync.OnceFunc(func() {
		if err := w.simulator.Storm(t.Context(), 0); err != nil {
			t.Error(err)
		}
	})
	defer calm()
	settle(t, w.observe/3)
	profiled := w.profileCPU(t, int(w.observe.Seconds()))
	hub, hubCPU := w.hubWrites(t), w.hub.Metric(t, "process_cpu_seconds_total")
	before, cpu, simulating := w.counts(t), cpuOf(t, f.PID()), cpuOf(t, w.simulatorPID)
	began := time.Now()
	settle(t, w.observe)
	took := time.Since(began)
	cpu, simulating = cpuOf(t, f.PID())-cpu, cpuOf(t, w.simulatorPID)-simulating
	after := w.counts(t)
	writes := w.hubWrites(t).since(hub)
	hubCPU = w.hub.Metric(t, "process_cpu_seconds_total") - hubCPU
	profiled()
	w.profileHeap(t)
	statuses := float64(after.Statuses - before.Statuses)
	conditions := fmt.Sprintf("%d members × %d Canaries, each changing every %s: %.0f changes/s, %.1f MB/s", w.many, w.parents, stormPeriod,
		statuses/took.Seconds(), float64(after.WatchBytes-before.WatchBytes)/1e6/took.Seconds())
	w.figures.add(t, "status-storm", cpu.Seconds()/took.Seconds(), "cores", fmt.Sprintf("%s; the simulator takes %.2f", conditions, simulating.Seconds()/took.Seconds()))
	w.figures.add(t, "status-storm-change", float64(cpu.Microseconds())/statuses, "µs", "CPU per change; "+conditions)
	w.figures.add(t, "status-storm-watched", float64(after.WatchEvents-before.WatchEvents)/statuses, "events", "brought by watches for each change")
	w.figures.add(t, "status-storm-writes", float64(written(after)-written(before)+writes.others), "writes", "to hub and members, parents' statuses and Events about them aside; "+conditions)
	w.figures.add(t, "status-storm-hub-writes", float64(w.mostStatusWrites(t, began, 10*time.Second)), "writes", "of one parent's status in any 10 s, at the most, by the hub's audit log; "+conditions)
	w.figures.add(t, "status-storm-statuses", float64(writes.statuses)/float64(w.parents)/took.Minutes(), "writes", "of each parent's status in a minute; "+conditions)
	w.figures.add(t, "status-storm-events", float64(writes.events)/float64(w.parents)/took.Minutes(), "writes", "of Events about each parent in a minute; "+conditions)
	w.figures.add(t, "status-storm-hub", hubCPU/took.Seconds(), "cores", fmt.Sprintf("the hub's API server with its etcd: %.0f ms for each status of %d agents; %s",
		1000*hubCPU/float64(max(1, writes.statuses)), w.many, conditions))
	calm()
	w.reported(t)
	told := w.usage(t)
	copies := w.many * w.parents
	w.figures.add(t, "result-memory", (told.live+told.stacks-silent.live-silent.stacks)/float64(copies), "bytes", fmt.Sprintf(
		"in use after a collection for the result of each of %d copies, and for the statuses of %d parents", copies, w.parents))
}

// check has canary-checker take in what is new in the members, and waits until fanout has seen that.
func (w *world) check(t *testing.T) {
	t.Helper()
	before := w.counts(t)
	if err := w.simulator.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.synced(t, w.fleet*w.held)
	after := w.counts(t)
	w.figures.add(t, "take-in-writes", float64(written(after)-written(before)), "writes", "to members while canary-checker takes in all their Canaries")
}

// reported waits until the parents' statuses have all that members report: until none has been written for longer than one that is due waits.
func (w *world) reported(t *testing.T) {
	t.Helper()
	settle(t, 2*results.TransitionPause) // for what is due at once
	for {
		writes := w.statusWrites(t)
		if len(writes) == 0 {
			return
		}
		left := results.UpdatePauseOf(w.fleet) + time.Second - time.Since(writes[len(writes)-1].Time)
		if left <= 0 {
			return
		}
		settle(t, left)
	}
}
