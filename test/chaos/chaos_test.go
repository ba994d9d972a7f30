package chaos

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"fanout/test/controlplane"
)

var (
	seedFlag   = flag.Int64("seed", 0, "seed of the first round; 0 is a fresh one")
	roundsFlag = flag.Int("rounds", 4, "number of rounds")
	opsFlag    = flag.Int("ops", 60, "operations per round")
	replicas   = flag.Int("replicas", 1, "number of replicas; several share the members")
	shrinkFlag = flag.Int("shrink", 15, "how many attempts to make at a shorter list of operations that fails; 0 is none")
)

var planes *controlplane.Set

func TestMain(m *testing.M) {
	os.Exit(controlplane.ForMain(m, &planes, clusterNames...))
}

func TestChaos(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Int64N(1_000_000_000) + 1
	}
	w := newWorld(t, planes, *replicas)
	all := kinds()
	if *replicas > 1 {
		all = append(all, replicaKinds()...)
		ctx, stop := context.WithCancel(t.Context())
		followed := make(chan struct{})
		go func() {
			defer close(followed)
			w.turns.follow(ctx, w.hub())
		}()
		defer func() { stop(); <-followed }()
	}
	began, done := time.Now(), 0
	for i := range int64(*roundsFlag) {
		operations := generate(seed+i, *opsFlag, all)
		r, failed := w.run(t, seed+i, operations)
		took := time.Since(r.began)
		outcome := "ok"
		if failed != nil {
			outcome = "FAILED"
		}
		t.Logf("round %d, seed %d: %d operations, %d faults, %d controllers, %.1fs (%.1fs of operations, the slowest %s, %.1fs until converged): %s",
			i+1, seed+i, len(operations), r.faults, len(r.controller), took.Seconds(), r.worked.Seconds(), r.slowest(), r.converged.Seconds(), outcome)
		if done += len(operations); failed != nil {
			w.report(t, seed+i, int(i)+1, operations, r, failed)
			break
		}
	}
	w.checkAudit(t)
	if *replicas > 1 {
		t.Logf("%s", w.turns)
	}
	t.Logf("%d rounds, seeds %d to %d, %d operations, %s", *roundsFlag, seed, seed+int64(*roundsFlag)-1, done, time.Since(began).Round(time.Second))
}

// report fails the test with all that helps to find out why.
func (w *world) report(t *testing.T, seed int64, number int, operations []operation, r *round, failed *failure) {
	t.Helper()
	t.Errorf("round %d, seed %d: %v\nrepeat it with: make chaos SEED=%d ROUNDS=1 REPLICAS=%d", number, seed, failed, seed, len(w.ways))
	t.Logf("what had to do with it:\n%s", strings.Join(r.about(failed), "\n"))
	t.Logf("fanout's log of it:\n%s", strings.Join(r.logs(failed), "\n"))
	shortest := r
	operations = shrink(operations, *shrinkFlag, func(fewer []operation) bool {
		again, failedAgain := w.run(t, seed, fewer)
		if failedAgain == nil || failedAgain.invariant != failed.invariant {
			return false
		}
		shortest = again
		return true
	})
	if shortest == r {
		t.Log("it did not come again with fewer operations")
		return
	}
	var list strings.Builder
	for _, s := range shortest.history {
		fmt.Fprintln(&list, s)
	}
	t.Logf("the shortest list that fails has %d operations:\n%s", len(operations), list.String())
}
