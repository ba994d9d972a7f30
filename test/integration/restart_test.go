package integration

import (
	"fmt"
	"testing"

	"fanout/test/controlplane"
	"fanout/test/fixture"
)

// A controller that starts over what is in step already writes nothing, by the API servers' own audit logs.
func TestRestartWritesNothing(t *testing.T) {
	const parents = 40
	w := newWorld(t, agents...)
	controller := w.startFanout(t)
	for i := range parents {
		w.hub.Apply(t, w.canary(fmt.Sprintf("check-%d", i), "*"))
	}
	for _, agent := range agents {
		w.expectCount(t, agent, parents)
	}
	// What others put on a copy stays, and is no reason to write either.
	w.members["eu-west-prod"].Patch(t, w.canaries, "check-7", `{"metadata":{"labels":{"team":"payments"}}}`)
	for i := range parents {
		w.expectShown(t, fmt.Sprintf("check-%d", i), "Pending", "3 agents: 3 pending; 3 in sync", nil)
	}
	controller.Stop(t)

	before := w.canaryWrites(t)
	restarted := w.startFanout(t, "--resync-period=200ms")
	fixture.Eventually(t, "all is known again", func() error {
		known := restarted.Metric(t, "fanout_derived_canaries")
		return fixture.Same("the number of copies", known, float64(parents*len(agents)))
	})
	// An edit goes through, so the controller has caught up, and several resyncs have passed by then.
	w.hub.Apply(t, w.canary("last", "*"))
	for _, agent := range agents {
		w.expectDerived(t, agent, "last")
	}
	w.hub.Apply(t, w.canary("very-last", "*"))
	for _, agent := range agents {
		w.expectDerived(t, agent, "very-last")
	}
	restarted.Stop(t)
	for cluster, writes := range w.canaryWrites(t) {
		for _, write := range writes[len(before[cluster]):] {
			if write.Name != "last" && write.Name != "very-last" {
				t.Errorf("%s: %s of %s by %s", cluster, write.Verb, write.Name, write.UserAgent)
			}
		}
		if cluster != "hub" {
			if got := len(writes) - len(before[cluster]); got != 2 {
				t.Errorf("%s: %d writes for two new Canaries", cluster, got)
			}
		}
	}
}

// What was missed while fanout was away is caught up with, and what it left behind is removed.
func TestRestartCatchesUp(t *testing.T) {
	w := newWorld(t, agents...)
	first := w.startFanout(t)
	edited, narrowed := w.canary("edited", "*"), w.canary("narrowed", "*")
	w.hub.Apply(t, edited)
	w.hub.Apply(t, narrowed)
	w.hub.Apply(t, w.canary("deleted", "*"))
	for _, name := range []string{"edited", "narrowed", "deleted"} {
		w.expectHolders(t, name, agents...)
	}
	first.Kill() // as a crash: its lease is not given up

	edited.Object["spec"].(map[string]any)["schedule"] = "@every 1m"
	w.hub.Apply(t, edited)
	fixture.Select(narrowed, "*-dev")
	w.hub.Apply(t, narrowed)
	w.hub.Delete(t, w.canaries, "deleted")
	w.hub.Apply(t, w.canary("new", "*"))
	w.members["us-east-prod"].Delete(t, w.canaries, "edited")

	w.startFanout(t, "--leader-elect=false")
	for _, agent := range agents {
		w.expectDerived(t, agent, "edited")
		w.expectDerived(t, agent, "new")
	}
	w.expectHolders(t, "narrowed", "ap-south-dev")
	w.expectHolders(t, "deleted")
}

// The orphan sweep lists each member afresh, again and again, and writes nothing where all is in step.
func TestOrphanSweepListsAfresh(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	member := w.members["eu-west-prod"]
	w.startFanout(t, "--orphan-sweep-period=200ms")
	w.hub.Apply(t, w.canary("api-health", "*"))
	before := w.expectDerived(t, "eu-west-prod", "api-health").GetResourceVersion()
	watches := func() float64 {
		return member.Metric(t, "apiserver_request_total", "resource", "canaries", "verb", "WATCH")
	}
	began := watches()
	fixture.Eventually(t, "five more lists have been streamed", func() error {
		if more := watches() - began; more < 5 {
			return fmt.Errorf("%v have", more)
		}
		return nil
	})
	w.hub.Apply(t, w.canary("during", "*"))
	w.expectDerived(t, "eu-west-prod", "during")
	if after := member.Get(t, w.canaries, "api-health").GetResourceVersion(); after != before {
		t.Error("a sweep wrote what was in step")
	}
	w.hub.Delete(t, w.canaries, "api-health")
	w.expectHolders(t, "api-health")
}

// canaryWrites returns the writes of Canaries that each cluster has seen.
func (w *world) canaryWrites(t *testing.T) map[string][]controlplane.Write {
	t.Helper()
	all := map[string][]controlplane.Write{}
	for _, cluster := range w.all() {
		writes, err := cluster.AuditedWrites(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, write := range writes {
			if write.Resource == "canaries" {
				all[cluster.Name] = append(all[cluster.Name], write)
			}
		}
	}
	return all
}
