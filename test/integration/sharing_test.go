package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/test/faultproxy"
	"fanout/test/fixture"
)

func TestReplicasShareTheMembers(t *testing.T) {
	w := newWorld(t, agents...)
	w.hub.Apply(t, w.canary("api-health", "*", "local"))
	all := w.startReplicas(t, 3)
	before := w.expectShared(t, all...)
	e := w.keepEditing(t, "api-health")
	for _, agent := range agents {
		e.expectWriters(t, agent, all, before[agent])
	}
	fixture.Eventually(t, "one replica writes what is for the hub itself", func() error {
		return fixture.Same("how many do", len(e.writers(t, w.hub, all...)), 1)
	})

	t.Log("one stops: what it had goes to others, and nothing else moves")
	leaver := before["eu-west-prod"]
	began := time.Now()
	leaver.Stop(t)
	t.Logf("it stopped within %s", time.Since(began))
	stay := slices.DeleteFunc(slices.Clone(all), func(r *replica) bool { return r == leaver })
	after := w.expectShared(t, stay...)
	for _, agent := range agents {
		if before[agent] == leaver {
			e.expectWriters(t, agent, all, leaver, after[agent])
		} else {
			e.expectWriters(t, agent, all, before[agent])
		}
	}

	t.Log("one joins: it takes from the others, and they from nobody")
	joiner := w.startReplica(t, w.hub.LeastRights(t, "hub.yaml", w.namespace))
	stay = append(stay, joiner)
	last := w.expectShared(t, stay...)
	e.stop()
	for _, agent := range agents {
		if last[agent] != after[agent] && last[agent] != joiner {
			t.Errorf("%s moved from %s to %s, though %s joined", agent, after[agent].name, last[agent].name, joiner.name)
		}
		w.expectDerived(t, agent, "api-health")
	}
}

// A replica that is gone without a word is missed for no longer than its Lease lasts.
func TestAKilledReplicasMembersGoToTheOthers(t *testing.T) {
	w := newWorld(t, agents...)
	w.hub.Apply(t, w.canary("api-health", "*"))
	all := w.startReplicas(t, 3)
	before := w.expectShared(t, all...)
	e := w.keepEditing(t, "api-health")
	for _, agent := range agents {
		e.expectWriters(t, agent, all, before[agent])
	}
	victim := before["us-east-prod"]
	victim.Kill()
	after := w.expectShared(t, slices.DeleteFunc(slices.Clone(all), func(r *replica) bool { return r == victim })...)
	for _, agent := range agents {
		if before[agent] == victim {
			e.expectWriters(t, agent, all, victim, after[agent])
		} else {
			e.expectWriters(t, agent, all, before[agent])
		}
	}
	e.stop()
	for _, agent := range agents {
		w.expectDerived(t, agent, "api-health")
	}
}

// A replica that was paused for longer than its Lease lasts has lost its members when it goes on, and writes nothing there before
// it has got them back.
func TestAPausedReplicaWritesNothingWhenItGoesOn(t *testing.T) {
	w := newWorld(t, agents...)
	w.hub.Apply(t, w.canary("api-health", "*"))
	all := w.startReplicas(t, 3)
	before := w.expectShared(t, all...)
	e := w.keepEditing(t, "api-health")
	for _, agent := range agents {
		e.expectWriters(t, agent, all, before[agent])
	}
	paused := before["ap-south-dev"]
	paused.Pause(t)
	t.Cleanup(func() { paused.Resume(t) })
	between := w.expectShared(t, slices.DeleteFunc(slices.Clone(all), func(r *replica) bool { return r == paused })...)
	for _, agent := range agents {
		if before[agent] == paused {
			e.expectWriters(t, agent, all, paused, between[agent])
		}
	}
	paused.Resume(t)
	after := w.expectShared(t, all...)
	for _, agent := range agents {
		if before[agent] == paused {
			e.expectWriters(t, agent, all, paused, between[agent], paused)
		} else {
			e.expectWriters(t, agent, all, before[agent])
		}
		if after[agent] != before[agent] {
			t.Errorf("%s is %s's in the end, and was %s's", agent, after[agent].name, before[agent].name)
		}
	}
	e.stop()
	if !strings.Contains(paused.Log(), "Could not renew the Lease in time; letting go of all members") {
		t.Error("the paused replica did not notice")
	}
}

// A replica that the hub does not answer stops writing before another takes over, though its members do answer.
func TestAReplicaCutOffFromTheHubStopsWriting(t *testing.T) {
	for name, fault := range map[string]func(*faultproxy.Proxy) func(){
		"refused": (*faultproxy.Proxy).Cut, "silent": (*faultproxy.Proxy).Blackhole,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, agents...)
			w.hub.Apply(t, w.canary("api-health", "*"))
			identity := w.hub.LeastRightsToken(t, "hub.yaml", w.namespace, time.Hour)
			proxy := faultproxy.Start(t, w.hub.Config)
			cut := w.startReplica(t, fixture.Kubeconfig(t, proxy.Config(identity)))
			all := append(w.startReplicas(t, 1), cut)
			before := w.expectShared(t, all...)
			e := w.keepEditing(t, "api-health")
			for _, agent := range agents {
				e.expectWriters(t, agent, all, before[agent])
			}
			// What is cut off is also kept busy: somebody edits the copies in its members, and it would put them back.
			heal := fault(proxy)
			for edited := 0; cut.Metric(t, "fanout_shard_replicas") != 0; edited++ {
				for _, agent := range agents {
					w.members[agent].Patch(t, w.canaries, "api-health", fmt.Sprintf(`{"spec":{"interval":%d}}`, 10+edited%50))
				}
			}
			between := w.expectShared(t, all[0])
			for _, agent := range agents {
				if before[agent] == cut {
					e.expectWriters(t, agent, all, cut, between[agent])
				}
			}
			heal()
			w.expectShared(t, all...)
			for _, agent := range agents {
				if before[agent] == cut {
					e.expectWriters(t, agent, all, cut, between[agent], cut)
				} else {
					e.expectWriters(t, agent, all, before[agent])
				}
			}
			e.stop()
		})
	}
}

// Secrets that lead to one cluster may fall to several replicas, and are one member all the same. So are those of one name.
func TestSharedDuplicates(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	all := w.startReplicas(t, 3)
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectHolders(t, "api-health", "eu-west-prod")
	twins := []string{"twin-a", "twin-b", "twin-c", "twin-d"}
	for _, twin := range twins {
		w.hub.Register(t, w.namespace, twin, w.members["eu-west-prod"].LeastRights(t, "member.yaml", w.namespace))
	}
	w.hub.Register(t, w.namespace, "myself", w.hub.Kubeconfig)
	for _, twin := range twins {
		w.expectSecretEvent(t, twin, "Refused", `duplicates "eu-west-prod"`)
	}
	w.expectSecretEvent(t, "myself", "Refused", "the hub itself")
	copied := w.expectDerived(t, "eu-west-prod", "api-health")

	t.Log("the oldest twin takes over when the first has left, and the copies stay for it")
	w.hub.Deregister(t, w.namespace, "eu-west-prod")
	w.expectSecretGone(t, "eu-west-prod")
	fixture.Eventually(t, "the copy is a twin's", func() error {
		copied = w.members["eu-west-prod"].Get(t, w.canaries, "api-health")
		if copied == nil {
			return fmt.Errorf("there is no copy")
		}
		return fixture.Same("its agent", strings.HasPrefix(copied.GetAnnotations()["fanout.flanksource.com/agent"], "twin-"), true)
	})

	t.Log("one that is deregistered is cleaned, by whoever has it")
	w.register(t, "us-east-prod")
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	w.hub.Deregister(t, w.namespace, "us-east-prod")
	w.expectSecretGone(t, "us-east-prod")
	w.expectHolders(t, "api-health", "eu-west-prod")

	t.Log("a selector that does not parse is told of once")
	w.hub.Apply(t, w.canary("broken", "{eu,us"))
	w.expectEvent(t, w.canaries, "broken", "InvalidAgentSelector", "agentSelector[0]")
	fixture.Eventually(t, "every replica knows of it", func() error {
		known := 0.0
		for _, r := range all {
			known += r.Metric(t, "fanout_parents", "selector", "invalid")
		}
		return fixture.Same("how many do", known, float64(len(all)))
	})
	events, err := w.hub.Kube.CoreV1().Events(w.canaries).List(t.Context(), metav1.ListOptions{FieldSelector: "reason=InvalidAgentSelector"})
	if err != nil {
		t.Fatal(err)
	}
	if len(events.Items) != 1 {
		t.Errorf("there are %d Events", len(events.Items))
	}
}

// Who changes from a leader to replicas that share, or back, has old and new pods side by side for a while.
func TestALeaderAndReplicasTakeTurns(t *testing.T) {
	w := newWorld(t, agents...)
	w.hub.Apply(t, w.canary("api-health", "*"))
	first := w.startFanout(t, shortLease...)
	w.expectHolders(t, "api-health", agents...)
	e := w.keepEditing(t, "api-health")
	sharer := w.startReplicas(t, 1)[0]
	fixture.Eventually(t, "the replica sees that it has to wait", func() error {
		return fixture.Same("replicas", sharer.Metric(t, "fanout_shard_replicas"), 1.0)
	})
	if sharer.Metric(t, "fanout_shard_agreed") != 0 || sharer.Metric(t, "fanout_members") != 0 {
		t.Error("it has members beside a leader")
	}
	first.Stop(t)
	w.expectShared(t, sharer)
	second := w.startFanout(t, shortLease...)
	fixture.Eventually(t, "the next leader waits", func() error {
		return fixture.Same("it says so", strings.Contains(second.Log(), "Waiting for replicas to stop that share the members"), true)
	})
	for _, agent := range agents {
		e.expectWriters(t, agent, []*replica{sharer}, &replica{name: leader}, sharer)
	}
	sharer.Stop(t)
	for _, agent := range agents {
		e.expectWriters(t, agent, []*replica{sharer}, &replica{name: leader}, sharer, &replica{name: leader})
	}
	e.stop()
}
