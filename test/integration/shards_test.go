package integration

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"fanout/test/controlplane"
	"fanout/test/fixture"
)

// shortLease has replicas notice soon that one is away.
var shortLease = []string{"--leader-elect-lease-duration=6s", "--leader-elect-renew-deadline=4s", "--leader-elect-retry-period=500ms"}

// replica is one of several controllers that share the members.
type replica struct {
	*fixture.Fanout
	name string // of its Lease, and in the members' audit logs
}

const leader = "leader"

var leaseOfReplica = regexp.MustCompile(`"Sharing the members with other replicas" lease="([^"]+)"`)

func (w *world) startReplica(t *testing.T, hub []byte) *replica {
	t.Helper()
	f := fixture.StartFanout(t, hub, append([]string{"--cluster-namespace", w.namespace, "--shard"}, shortLease...)...)
	r := &replica{Fanout: f}
	fixture.Eventually(t, "it shares", func() error {
		found := leaseOfReplica.FindStringSubmatch(f.Log())
		if found == nil {
			return fmt.Errorf("it does not say so")
		}
		r.name = found[1]
		return nil
	})
	return r
}

func (w *world) startReplicas(t *testing.T, count int) []*replica {
	t.Helper()
	hub := w.hub.LeastRights(t, "hub.yaml", w.namespace)
	var all []*replica
	for range count {
		all = append(all, w.startReplica(t, hub))
	}
	return all
}

// expectShared waits until the replicas agree, and returns who has which agent.
func (w *world) expectShared(t *testing.T, replicas ...*replica) map[string]*replica {
	t.Helper()
	var owners map[string]*replica
	fixture.Eventually(t, fmt.Sprintf("%d replicas share all members", len(replicas)), func() error {
		owners = map[string]*replica{}
		for _, r := range replicas {
			if got := r.Metric(t, "fanout_shard_replicas"); got != float64(len(replicas)) || r.Metric(t, "fanout_shard_agreed") != 1 {
				return fmt.Errorf("%s sees %v replicas", r.name, got)
			}
			connected := 0
			for _, agent := range agents {
				if strings.Contains(r.Metrics(t), fmt.Sprintf("fanout_derived_canaries{agent=%q}", agent)) {
					if other := owners[agent]; other != nil {
						return fmt.Errorf("%s has %s, and so has %s", r.name, agent, other.name)
					}
					owners[agent] = r
					connected++
				}
			}
			if err := fixture.Same(r.name+"'s connected members", int(r.Metric(t, "fanout_members", "state", "Connected")), connected); err != nil {
				return err
			}
		}
		return fixture.Same("members that are shared out", len(owners), len(agents))
	})
	return owners
}

// edits changes a parent over and over, so that whoever works with a member writes there.
type edits struct {
	world *world
	since time.Time
	stop  func()
}

func (w *world) keepEditing(t *testing.T, name string) *edits {
	t.Helper()
	e := &edits{world: w, since: time.Now()}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 1; ; i++ {
			select {
			case <-ended:
				return
			case <-time.After(40 * time.Millisecond):
				patch := fmt.Sprintf(`{"spec":{"schedule":"@every %dm"}}`, i)
				_, err := w.hub.Canaries(w.canaries).Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
				if err != nil && t.Context().Err() == nil {
					t.Errorf("edit %s: %v", name, err)
				}
			}
		}
	}()
	stopped := false
	e.stop = func() {
		if !stopped {
			stopped = true
			close(ended)
			<-done
		}
	}
	t.Cleanup(e.stop)
	return e
}

// writers returns which replicas have written Canaries, and not parents' statuses, into a cluster since the edits began, one after the other, by its own
// audit log. Refused writes count as well. One that does not share is called the leader.
func (e *edits) writers(t *testing.T, cluster *fixture.Cluster, replicas ...*replica) []string {
	t.Helper()
	writes, err := cluster.AuditedWrites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(writes, func(a, b controlplane.Write) int { return a.Time.Compare(b.Time) })
	var writers []string
	for _, write := range writes {
		_, by, named := strings.Cut(write.UserAgent, "replica/")
		if !named && strings.Contains(write.Query, "fieldManager=fanout") {
			by = leader
		}
		known := by == leader || slices.ContainsFunc(replicas, func(r *replica) bool { return r.name == by })
		if write.Time.Before(e.since) || write.Resource != "canaries" || write.Subresource != "" || !known {
			continue
		}
		if len(writers) == 0 || writers[len(writers)-1] != by {
			writers = append(writers, by)
		}
	}
	return writers
}

// expectWriters waits until those replicas have written into agent's cluster, one after the other, and no more.
func (e *edits) expectWriters(t *testing.T, agent string, all []*replica, want ...*replica) {
	t.Helper()
	var names []string
	for _, r := range want {
		names = append(names, r.name)
	}
	fixture.Eventually(t, fmt.Sprintf("%v write to %s, one after the other", names, agent), func() error {
		return fixture.Same("who writes", e.writers(t, e.world.members[agent], all...), names)
	})
}
