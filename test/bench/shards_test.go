package bench

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/test/fixture"
)

// shards has more and more replicas share one fleet, makes copies with each number of them, and then stops one.
func shards(t *testing.T, w *world) {
	if w.held > 0 {
		w.wipe(t)
	}
	w.stop(t)
	namespace := w.register(t, w.shared)
	w.create(t, "held", 0, 1) // what a replica has copies in is told by its metrics
	w.fleet, w.held = w.shared, 1
	parents := max(w.copies/w.shared, 3)
	var (
		replicas  []*fixture.Fanout
		owners    map[string]int
		cost      []float64
		moved     []float64 // of all members, when one joined or left, more than its share
		strangers int       // members that moved between two replicas that had been there, and stayed
		doubled   int64
	)
	for count := 1; count <= 4; count++ {
		w.launch(t, namespace, "--shard")
		replicas = append(replicas, w.fanout)
		before, now := owners, w.sharedOut(t, replicas)
		owners = now
		if count > 1 {
			came := 0
			for agent, owner := range owners {
				switch {
				case owner == count-1:
					came++
				case owner != before[agent]:
					strangers++
				}
			}
			moved = append(moved, float64(came)/float64(w.shared)-1/float64(count))
		}
		w.synced(t, w.shared)
		wrote, used, began := written(w.counts(t)), cpuOfAll(t, replicas...), time.Now()
		name := fmt.Sprintf("shared-by-%d", count)
		profiled := w.profileCPU(t, 8)
		took := w.newCopies(t, ours, name, w.shared, parents)
		settle(t, time.Second) // what follows is part of it
		spent, during := cpuOfAll(t, replicas...)-used, time.Since(began)
		profiled()
		w.synced(t, w.shared*(parents+1))
		doubled += written(w.counts(t)) - wrote - int64(w.shared*parents)
		idle := w.atRest(t, replicas...)
		copies := float64(w.shared * parents)
		one := float64(spent.Microseconds())/copies - idle*float64(during.Microseconds())/copies
		cost = append(cost, one)
		w.figures.add(t, fmt.Sprintf("shards-%d", count), one, "µs", fmt.Sprintf(
			"CPU per new copy, of all replicas together, %d that share %d members × %d parents; at rest %.3f cores, taken off; %.0f copies/s",
			count, w.shared, parents, idle, copies/took.Seconds()))
		if err := w.hub.Canaries(parentsNamespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "bench=" + parentsNamespace + "-new-" + name}); err != nil {
			t.Fatal(err)
		}
		w.synced(t, w.shared)
	}
	w.figures.add(t, "shards", slices.Max(cost)/slices.Min(cost), "×", "the most CPU per new copy with 1 to 4 replicas, over the least")

	gone := len(replicas) - 1
	replicas[gone].Stop(t)
	left := w.sharedOut(t, replicas[:gone])
	went := 0
	for agent, owner := range owners {
		if owner == gone {
			went++
		} else if left[agent] != owner {
			strangers++
		}
	}
	moved = append(moved, float64(went)/float64(w.shared)-1/float64(len(replicas)))
	w.figures.add(t, "shards-moved", 100*slices.Max(moved), "%", fmt.Sprintf(
		"of %d members, that moved when one of up to four replicas joined or left, beyond 1/N", w.shared))
	w.figures.add(t, "shards-strangers", float64(strangers), "members", "that moved between two others then")
	w.figures.add(t, "shards-doubled", float64(doubled), "writes", "to members, beyond one for each copy")
}

// derivedOf finds the agents that a replica works with, in its metrics.
var derivedOf = regexp.MustCompile(`(?m)^fanout_derived_canaries\{agent="([^"]*)"\}`)

// sharedOut waits until the replicas agree, each member has one of them, and that one is connected to it. It returns which.
func (w *world) sharedOut(t *testing.T, replicas []*fixture.Fanout) map[string]int {
	t.Helper()
	var owners map[string]int
	fixture.EventuallyWithin(t, patience, fmt.Sprintf("%d replicas share all members", len(replicas)), func() error {
		owners = map[string]int{}
		for i, f := range replicas {
			metrics := f.Metrics(t)
			if got := fixture.Sum(t, metrics, "fanout_shard_replicas"); got != float64(len(replicas)) || fixture.Sum(t, metrics, "fanout_shard_agreed") != 1 {
				return fmt.Errorf("replica %d sees %v", i, got)
			}
			connected := int(fixture.Sum(t, metrics, "fanout_members", "state", "Connected"))
			found := derivedOf.FindAllStringSubmatch(metrics, -1)
			if err := fixture.Same("connected members", connected, len(found)); err != nil {
				return err
			}
			for _, agent := range found {
				if other, ok := owners[agent[1]]; ok {
					return fmt.Errorf("replicas %d and %d have %s", other, i, agent[1])
				}
				owners[agent[1]] = i
			}
		}
		return fixture.Same("members that are shared out", len(owners), w.shared)
	})
	return owners
}
