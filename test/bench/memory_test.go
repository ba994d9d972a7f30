package bench

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// footprint is what a fanout that has come to rest takes.
type footprint struct {
	resident float64 // bytes
	usage
}

// usage is what a fanout has in use after a collection.
type usage struct {
	live, stacks float64 // bytes of heap and of stacks
	goroutines   float64
}

// footprint waits until fanout has given back what it does not need, and returns what is left.
func (w *world) footprint(t *testing.T) footprint {
	t.Helper()
	for resident := math.Inf(1); ; {
		used := w.usage(t)
		now, _ := memoryOf(t, w.fanout.PID())
		if now > resident*0.99 {
			return footprint{now, used}
		}
		resident = now
		settle(t, 3*time.Second) // memory is given back in the background, without haste
	}
}

func (w *world) usage(t *testing.T) usage {
	t.Helper()
	for range 2 { // pools let go of what is in them only at the second collection
		served(t, w.fanout, "/debug/pprof/heap?gc=1")
	}
	text := served(t, w.fanout, "/metrics")
	return usage{
		live: gauge(t, text, "go_memstats_heap_alloc_bytes"), stacks: gauge(t, text, "go_memstats_stack_inuse_bytes"),
		goroutines: gauge(t, text, "go_goroutines"),
	}
}

const (
	kibi = 1 << 10
	mebi = 1 << 20
)

// gauge finds a metric without labels.
func gauge(t *testing.T, text, name string) float64 {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no metric %s", name)
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// memberMemory is what an idle member takes: the difference between fleets, divided by the difference in members.
func memberMemory(t *testing.T, w *world) {
	w.start(t, 0, 0)
	none := w.footprint(t)
	w.start(t, w.many, 0)
	many := w.footprint(t)
	w.start(t, w.most, 0)
	most := w.footprint(t)
	w.profileHeap(t)
	per := func(from, to footprint, members int, what func(footprint) float64) float64 {
		return (what(to) - what(from)) / float64(members)
	}
	resident := func(f footprint) float64 { return f.resident / kibi }
	w.figures.add(t, "member-memory", per(none, most, w.most, resident), "KiB", fmt.Sprintf(
		"resident memory per idle member, from 0 to %d members; %.0f from 0 to %d; %.0f MiB with none", w.most, per(none, many, w.many, resident), w.many, none.resident/mebi))
	used := func(f footprint) float64 { return (f.live + f.stacks) / kibi }
	w.figures.add(t, "member-memory-used", per(none, most, w.most, used), "KiB", fmt.Sprintf(
		"of it in use after a collection: heap %.0f, stacks %.0f", per(none, most, w.most, func(f footprint) float64 { return f.live / kibi }),
		per(none, most, w.most, func(f footprint) float64 { return f.stacks / kibi })))
	w.figures.add(t, "member-goroutines", per(none, most, w.most, func(f footprint) float64 { return f.goroutines }), "goroutines", fmt.Sprintf("per idle member, from 0 to %d", w.most))
}

// derivedMemory is what a copy takes: the difference between a fleet that holds none and one that holds many.
func derivedMemory(t *testing.T, w *world) {
	if w.held > 0 {
		w.wipe(t)
	}
	w.start(t, w.many, 0)
	w.create(t, "held", 0, 1) // the first one takes what is taken once
	w.held = 1
	w.synced(t, w.many)
	before := w.footprint(t)
	text := "bench-held-rest"
	arrived := w.expect(t, text, w.many*(w.parents-1))
	for i := 1; i < w.parents; i++ {
		w.createOne(t, ours, fmt.Sprintf("held-%d", i), map[string]string{"bench": text})
	}
	arrived()
	w.held = w.parents
	w.synced(t, w.many*w.parents)
	after := w.footprint(t)
	w.profileHeap(t)
	copies := float64(w.many * (w.parents - 1))
	conditions := fmt.Sprintf("%d members, from 1 to %d copies in each, just written", w.many, w.parents)
	w.figures.add(t, "derived-memory", (after.resident-before.resident)/copies/kibi, "KiB", "resident memory per copy; "+conditions)
	w.figures.add(t, "derived-memory-used", (after.live+after.stacks-before.live-before.stacks)/copies/kibi, "KiB", "of it in use after a collection; "+conditions)
	w.start(t, w.many, w.parents)
	restarted := w.footprint(t)
	w.figures.add(t, "derived-memory-restarted", (restarted.resident-before.resident)/copies/kibi, "KiB", "resident memory per copy after a restart; "+conditions)
}

// settle lets time pass in which nothing is to happen, so that what happens nevertheless is seen.
func settle(t *testing.T, how time.Duration) {
	t.Helper()
	select {
	case <-time.After(how):
	case <-t.Context().Done():
		t.Fatal("the test is over")
	}
}
