package bench

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"fanout/test/simulator"
)

// edit gives a parent another schedule, and returns when the hub had accepted that.
func (w *world) edit(t *testing.T, name, schedule string) time.Time {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"schedule": schedule}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.hub.Canaries(parentsNamespace).Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "user"}); err != nil {
		t.Fatal(err)
	}
	return time.Now()
}

// editOfMany is one edit to all members of the largest fleet, with one core for fanout, and another edit right behind it.
func editOfMany(t *testing.T, w *world) {
	if w.held > 0 {
		w.wipe(t)
	}
	w.simulate(t)               // with all cores
	t.Setenv("GOMAXPROCS", "1") // of fanout's process
	w.start(t, w.most, 2)
	var first, second, head []float64
	profiled := w.profileCPU(t, 10)
	for round := range 5 {
		schedules := []string{fmt.Sprintf("@every %dh1m", round+1), fmt.Sprintf("@every %dh2m", round+1)}
		arrived := []func() []simulator.Arrival{w.expect(t, schedules[0], w.most), w.expect(t, schedules[1], w.most)}
		accepted := []time.Time{w.edit(t, "held-0", schedules[0]), w.edit(t, "held-1", schedules[1])}
		ones, others := since(accepted[0], arrived[0]()), since(accepted[1], arrived[1]())
		first = append(first, milliseconds(slices.Max(ones)))
		second = append(second, milliseconds(slices.Max(others)))
		head = append(head, milliseconds(slices.Min(others)))
	}
	profiled()
	conditions := fmt.Sprintf("%d members, fanout with one core", w.most)
	w.figures.add(t, "edit-5000", median(first), "ms", "until the last member has an edit; another one follows at once; "+conditions)
	w.figures.add(t, "edit-5000-second", median(second), "ms", fmt.Sprintf("until the last has the one that follows, and %.0f ms until the first has; %s", median(head), conditions))
}

// since is how long each arrival took.
func since(began time.Time, arrived []simulator.Arrival) []time.Duration {
	took := make([]time.Duration, len(arrived))
	for i, arrival := range arrived {
		took[i] = max(arrival.Time.Sub(began), 0)
	}
	return took
}
