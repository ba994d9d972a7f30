package chaos

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanout/test/faultproxy"
	"fanout/test/fixture"
)

// round is one list of operations at work.
type round struct {
	t          testing.TB
	w          *world
	namespaces []string
	places     []place
	seed       int64
	began      time.Time
	fanout     *fixture.Fanout
	others     []*fixture.Fanout // the other replicas, where several share
	paused     []bool            // of them
	controller []*fixture.Fanout // all that ran
	edits      int
	hubGone    bool      // its CRD is not there
	hubAnew    time.Time // when its CRD had been installed again, zero where it never was
	crdGone    map[string]bool
	checkers   map[string]func() // by member: stops its stand-in for canary-checker
	holds      []*faultproxy.Hold
	heals      []*time.Timer
	faults     int
	worked     time.Duration // what the operations took
	converged  time.Duration // what it took after them until the clusters were as they should be

	mu       sync.Mutex // guards what follows
	model    *model
	lineages lineages
	objects  *objects
	history  []step
}

// step is what an operation did.
type step struct {
	at   time.Duration
	kind string
	text string
}

func (s step) String() string { return fmt.Sprintf("%7.3fs %s: %s", s.at.Seconds(), s.kind, s.text) }

// run runs operations as a round of its own, and returns the first violated invariant, or nil.
func (w *world) run(t testing.TB, seed int64, operations []operation) (*round, *failure) {
	t.Helper()
	w.rounds++
	r := &round{
		t: t, w: w, seed: seed, began: time.Now(),
		namespaces: []string{fmt.Sprintf("r%d-a", w.rounds), fmt.Sprintf("r%d-b", w.rounds)},
		crdGone:    map[string]bool{}, checkers: map[string]func(){},
		model: newModel(), lineages: lineages{}, objects: newObjects(),
		others: make([]*fixture.Fanout, len(w.ways)-1), paused: make([]bool, len(w.ways)-1),
	}
	r.places = places(r.namespaces)
	stopWatching := r.watch()
	defer r.clean()
	defer stopWatching()
	defer func() {
		r.healAll()
		r.stopOthers()
		r.stop()
		for _, name := range checked {
			r.stopChecker(name)
		}
	}()
	r.startChecker(checked[0])
	for i := range members {
		r.register(numbers{i})
	}
	r.fanout = r.launch()
	r.startReplicas(numbers{})
	fixture.Eventually(t, "fanout is ready", r.fanout.Ready)
	r.note("round", "fanout is ready")

	do := map[string]func(*round, numbers) string{}
	for _, k := range append(kinds(), replicaKinds()...) {
		do[k.name] = k.do
	}
	for _, o := range operations {
		r.note(o.kind, do[o.kind](r, o.n))
		if err := r.isAlive(); err != nil {
			return r, err
		}
		pause(t, o.pause)
	}
	r.worked = time.Since(r.began)
	r.settle()
	if err := r.converge(); err != nil {
		return r, err
	}
	r.converged = time.Since(r.began) - r.worked
	return r, r.aftermath()
}

// pause lets fanout work for a while. Nothing is expected to have happened then: it only varies what meets what.
func pause(t testing.TB, length time.Duration) {
	select {
	case <-time.After(length):
	case <-t.Context().Done():
	}
}

func (r *round) note(kind, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, step{time.Since(r.began), kind, text})
}

// slowest names the step that took longest, which is what to look at when rounds take long.
func (r *round) slowest() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var longest time.Duration
	name := ""
	for i := 1; i < len(r.history); i++ {
		if took := r.history[i].at - r.history[i-1].at; took > longest {
			longest, name = took, r.history[i].kind
		}
	}
	return fmt.Sprintf("%s %.1fs", name, longest.Seconds())
}

// about returns the steps that have to do with a failure: its place or cluster, the controller, faults, credentials.
func (r *round) about(f *failure) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := strings.TrimSuffix(f.place.String(), "-"+local)
	var lines []string
	for _, s := range r.history {
		text := s.String()
		if f.cluster == "" || strings.Contains(text, name) || strings.Contains(text, f.cluster) || strings.Contains(text, "fanout") || strings.Contains(text, "hub") {
			lines = append(lines, text)
		}
	}
	return lines
}

// logs returns the lines of all controllers' logs that name the place, or all where it is not known.
func (r *round) logs(f *failure) []string {
	var lines []string
	for i, c := range r.controller {
		for line := range strings.Lines(c.Log()) {
			if f.place.name == "" || strings.Contains(line, f.place.name) || strings.Contains(line, f.place.namespace) || !strings.Contains(line, "canary=") {
				lines = append(lines, fmt.Sprintf("%d: %s", i+1, strings.TrimSpace(line)))
			}
		}
	}
	return slices.Clip(lines)
}
