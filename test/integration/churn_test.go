package integration

import (
	"fmt"
	"testing"

	"fanout/test/fixture"
)

// A member that is registered and deregistered over and over leaves no goroutine and no connection behind.
func TestChurnLeavesNothing(t *testing.T) {
	const rounds = 40
	w := newWorld(t, "eu-west-prod")
	controller := w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectHolders(t, "api-health", "eu-west-prod")
	credential := w.members["us-east-prod"].LeastRights(t, "member.yaml", w.namespace)
	round := func() {
		w.hub.Register(t, w.namespace, "us-east-prod", credential)
		w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
		w.hub.Deregister(t, w.namespace, "us-east-prod")
		w.expectSecretGone(t, "us-east-prod")
	}
	round() // what is made once and kept is there after this
	settled := func() (goroutines, files float64) {
		return controller.Metric(t, "go_goroutines"), controller.Metric(t, "process_open_fds")
	}
	goroutines, files := settled()
	for range rounds {
		round()
	}
	fixture.Eventually(t, "it has no more goroutines and connections than before", func() error {
		g, f := settled()
		if g > goroutines || f > files {
			return fmt.Errorf("%v goroutines (%v before), %v open files (%v before)", g, goroutines, f, files)
		}
		return nil
	})
	if left := controller.Metric(t, "fanout_writes_total", "agent", "us-east-prod"); left != 0 {
		t.Errorf("the member's metrics outlived it: %v writes", left)
	}
}
