package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanout/test/controlplane"
	"fanout/test/fixture"
)

// A controller that starts over statuses that are right writes none of them, though a member is away of which nothing is left but what
// they say.
func TestResultsOutliveARestart(t *testing.T) {
	const parents = 20
	w := newWorld(t, agents...)
	flags := []string{"--probe-period=500ms", "--probe-timeout=2s", "--probe-failure-threshold=2"}
	controller := w.startFanout(t, flags...)
	now := time.Now()
	for i := range parents {
		name := fmt.Sprintf("check-%d", i)
		w.hub.Apply(t, w.hourly(name, "*"))
		for _, agent := range agents {
			w.expectDerived(t, agent, name)
		}
		w.members["eu-west-prod"].Report(t, w.canaries, name, fixture.Failing(now, "refused"))
		w.members["us-east-prod"].Report(t, w.canaries, name, fixture.Passing(now))
	}
	w.stop(t, "us-east-prod")
	away := map[string]string{"us-east-prod": "Unreachable, Passed before", "eu-west-prod": "Failed | refused", "ap-south-dev": "Pending…"}
	for i := range parents {
		w.expectShown(t, fmt.Sprintf("check-%d", i), "Failed", "3 agents: 1 failed, 1 unreachable, 1 pending; 2 in sync", away)
	}
	controller.Stop(t)

	before := len(w.statusWrites(t))
	restarted := w.startFanout(t, flags...)
	w.expectState(t, restarted, "Unreachable", 1)
	fixture.Eventually(t, "all else is known again", func() error {
		return fixture.Same("the number of copies", restarted.Metric(t, "fanout_derived_canaries"), float64(2*parents))
	})
	// News go through, so that all that came before them has been looked at.
	w.members["eu-west-prod"].Report(t, w.canaries, "check-0", fixture.Passing(now))
	w.expectShown(t, "check-0", "Unreachable", "3 agents: 1 passed, 1 unreachable, 1 pending; 2 in sync", nil)
	w.hub.Apply(t, w.hourly("new", "*-dev"))
	w.expectShown(t, "new", "Pending", "1 agent: 1 pending; 1 in sync", nil)
	for _, write := range w.statusWrites(t)[before:] {
		if write.Name != "new" && write.Name != "check-0" {
			t.Errorf("%s of %s by %s", write.Verb, write.Name, write.UserAgent)
		}
	}

	t.Log("it comes back, and was edited meanwhile")
	w.edit(t, "check-1", "@every 2h")
	w.start(t, "us-east-prod")
	w.expectShown(t, "check-0", "Pending", "3 agents: 2 passed, 1 pending; 3 in sync", map[string]string{"us-east-prod": "Passed"})
	w.expectShown(t, "check-1", "Failed", "3 agents: 1 passed, 1 failed, 1 pending; 3 in sync", nil)
	for i := range parents {
		told := eventsIn(t, w.hub, w.canaries, fmt.Sprintf("check-%d", i))
		if n := len(slices.DeleteFunc(told, func(event string) bool { return !strings.HasPrefix(event, "Failing: ") })); n != 1 {
			t.Errorf("check-%d is told %d times that it fails: %v", i, n, told)
		}
	}
}

// statusWrites returns the writes of Canaries' statuses in the hub.
func (w *world) statusWrites(t *testing.T) []controlplane.Write {
	t.Helper()
	writes, err := w.hub.AuditedWrites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(writes, func(write controlplane.Write) bool {
		return write.Resource != "canaries" || write.Subresource != "status"
	})
}
