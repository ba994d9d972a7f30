package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fanout/test/fixture"
)

// linearity is the CPU that a new copy takes, in fleets of different sizes, of fanout and of a floor that holds a watch, in turn.
func linearity(t *testing.T, w *world) {
	var all, asked []float64
	for _, fleet := range w.fleetSizes {
		if w.held > 0 {
			w.wipe(t)
		}
		f := w.start(t, fleet, 0)
		parents := max(w.copies/fleet, 3)
		w.newCopies(t, ours, "warm", fleet, 1)
		w.synced(t, fleet)
		var bare contender
		if fleet <= floorBears {
			bare = w.floorOf(t, fleet)
			w.newCopies(t, bare, "warm", fleet, 1)
		}
		idle := w.atRest(t, f)
		var cpu, floor, wall, simulated []time.Duration
		for round := range 3 {
			profiled := w.profileCPU(t, 10)
			before, used, simulating, began := w.counts(t), cpuOf(t, f.PID()), cpuOf(t, w.simulatorPID), time.Now()
			name := fmt.Sprintf("round-%d", round)
			wall = append(wall, w.newCopies(t, ours, name, fleet, parents))
			settle(t, time.Second) // what follows is part of it
			profiled()
			rest := time.Duration(idle * float64(time.Since(began)))
			cpu, simulated = append(cpu, cpuOf(t, f.PID())-used-rest), append(simulated, cpuOf(t, w.simulatorPID)-simulating)
			asked = append(asked, float64(total(w.counts(t).Requests)-total(before.Requests))/float64(fleet*parents))

			if bare.pid == 0 {
				continue
			}
			used = cpuOf(t, bare.pid)
			w.newCopies(t, bare, name, fleet, parents)
			settle(t, time.Second)
			floor = append(floor, cpuOf(t, bare.pid)-used)
		}
		w.wipe(t)
		copies := float64(fleet * parents)
		one := float64(median(cpu).Microseconds()) / copies
		all = append(all, one)
		name, conditions := fmt.Sprintf("linearity-%d", fleet), fmt.Sprintf(
			"CPU per new copy, %d members × %d parents; at rest %.3f cores, taken off; %.0f copies/s beside a simulator that takes %.0f µs for each", fleet, parents, idle,
			copies/median(wall).Seconds(), float64(median(simulated).Microseconds())/copies)
		if bare.pid == 0 {
			w.figures.add(t, name, one, "µs", conditions)
			continue
		}
		bare.stop()
		w.figures.against(t, name, one, float64(median(floor).Microseconds())/copies, "µs", conditions+"; the floor holds a watch")
	}
	w.figures.add(t, "linearity-requests", slices.Max(asked), "requests", "to members per new copy, probes aside, in whichever round took most")
	w.figures.add(t, "linearity", slices.Max(all)/slices.Min(all), "×", "the most CPU per new copy in one of these fleets, over the least")
}

// floorBears is how many members the floor works with on two cores. With thousands it loses connections, and does not come back.
const floorBears = 1000

// floorOf starts a floor with a watch over a fleet of that size.
func (w *world) floorOf(t *testing.T, fleet int) contender {
	t.Helper()
	w.hub.Namespace(t, ofWatching)
	var kubeconfigs [][]byte
	for _, site := range w.sites[:fleet] {
		kubeconfigs = append(kubeconfigs, site.Kubeconfig)
	}
	return startFloor(t, ofWatching, true, w.hub.Kubeconfig, kubeconfigs)
}

// newCopies makes parents for c, and returns how long it took until the last member had its copy of the last.
func (w *world) newCopies(t *testing.T, c contender, name string, fleet, parents int) time.Duration {
	t.Helper()
	text := c.namespace + "-new-" + name
	arrived := w.expect(t, text, fleet*parents)
	began := time.Now()
	for i := range parents {
		w.createOne(t, c, fmt.Sprintf("%s-%d", name, i), map[string]string{"bench": text})
	}
	came := arrived()
	last := began
	for _, arrival := range came {
		if arrival.Time.After(last) {
			last = arrival.Time
		}
	}
	return last.Sub(began)
}

// atRest is how many cores they take together while nothing happens, which no copy is to blame for.
func (w *world) atRest(t *testing.T, all ...*fixture.Fanout) float64 {
	t.Helper()
	used, began := cpuOfAll(t, all...), time.Now()
	settle(t, w.observe/6)
	return float64(cpuOfAll(t, all...)-used) / float64(time.Since(began))
}

func cpuOfAll(t *testing.T, all ...*fixture.Fanout) (sum time.Duration) {
	t.Helper()
	for _, f := range all {
		sum += cpuOf(t, f.PID())
	}
	return sum
}

// total sums up requests, those that probe members aside.
func total(requests map[string]int64) (sum int64) {
	for what, count := range requests {
		if what != "get namespaces" {
			sum += count
		}
	}
	return sum
}
