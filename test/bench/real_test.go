package bench

import (
	"fmt"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"fanout/test/fixture"
)

func agent(i int) string { return fmt.Sprintf("member-%d", i) }

// field is a hub with real members, and fanout and the floors at work between them, each in a namespace of its own.
type field struct {
	hub        *fixture.Cluster
	members    []*fixture.Cluster
	contenders []contender
}

// contender is fanout or a floor.
type contender struct {
	namespace string
	selector  []string // that makes a Canary its parent
	pid       int
	stop      func()
}

const (
	ofFloor    = "bench-floor"
	ofWatching = "bench-floor-with-a-watch"
	ofFanout   = "bench-fanout"
)

// newField starts fanout and the floors.
func newField(t *testing.T, w *world) *field {
	t.Helper()
	if w.held > 0 {
		w.wipe(t)
	}
	f := &field{hub: w.hub}
	crd := fixture.CRD(t)
	var kubeconfigs [][]byte
	for i := range w.real {
		member := fixture.In(t, planes, agent(i))
		if err := member.InstallCRD(t.Context(), crd); err != nil {
			t.Fatal(err)
		}
		f.members, kubeconfigs = append(f.members, member), append(kubeconfigs, member.Kubeconfig)
	}
	for _, cluster := range append([]*fixture.Cluster{f.hub}, f.members...) {
		for _, namespace := range []string{ofFloor, ofWatching, ofFanout} {
			cluster.Namespace(t, namespace)
		}
	}
	for i, member := range f.members {
		f.hub.Register(t, ofFanout, agent(i), member.Kubeconfig)
	}
	w.launch(t, ofFanout)
	fixture.Eventually(t, "the members are connected", func() error {
		return fixture.Same("connected members", w.fanout.Metric(t, "fanout_members", "state", "Connected"), float64(w.real))
	})
	f.contenders = []contender{
		startFloor(t, ofFloor, false, w.hub.Kubeconfig, kubeconfigs),
		startFloor(t, ofWatching, true, w.hub.Kubeconfig, kubeconfigs),
		{namespace: ofFanout, pid: w.fanout.PID(), selector: []string{"*"}},
	}
	t.Cleanup(func() {
		w.stop(t)
		f.clean(t)
	})
	for _, c := range f.contenders {
		f.edit(t, c, "@every 1h") // connected and warm
	}
	return f
}

// clean removes all Canaries.
func (f *field) clean(t *testing.T) {
	t.Helper()
	var group sync.WaitGroup
	for _, cluster := range append([]*fixture.Cluster{f.hub}, f.members...) {
		group.Go(func() { cluster.Clean(t, ofFanout) })
	}
	group.Wait()
}

// edit changes a parent of c's and returns how long it took from the hub having accepted that until the last member held it.
func (f *field) edit(t *testing.T, c contender, schedule string) time.Duration {
	t.Helper()
	canary := fixture.Canary(c.namespace, "edited", c.selector...)
	canary.Object["spec"].(map[string]any)["schedule"] = schedule
	arrived := f.await(t, c.namespace, 1, func(found *unstructured.Unstructured) bool {
		got, _, _ := unstructured.NestedString(found.Object, "spec", "schedule")
		return got == schedule
	})
	f.hub.Apply(t, canary)
	accepted := time.Now()
	arrived()
	return time.Since(accepted)
}

// fill creates parents for c, and returns the time until the last copy stood, and the CPU time that c took.
func (f *field) fill(t *testing.T, c contender, round, parents int) (took, cpu time.Duration) {
	t.Helper()
	arrived := f.await(t, c.namespace, parents, func(found *unstructured.Unstructured) bool {
		return found.GetLabels()["round"] == fmt.Sprint(round)
	})
	began, used := time.Now(), cpuOf(t, c.pid)
	for i := range parents {
		canary := fixture.Canary(c.namespace, fmt.Sprintf("fill-%d-%d", round, i), c.selector...)
		canary.SetLabels(map[string]string{"round": fmt.Sprint(round)})
		if _, err := f.hub.Canaries(c.namespace).Create(t.Context(), canary, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	arrived()
	took = time.Since(began)
	settle(t, quiet/2) // what follows is part of it
	return took, cpuOf(t, c.pid) - used
}

// await watches every member, and returns a function that returns when each holds so many objects as wanted.
func (f *field) await(t *testing.T, namespace string, count int, wanted func(*unstructured.Unstructured) bool) func() {
	t.Helper()
	var group sync.WaitGroup
	for _, member := range f.members {
		open := func() watch.Interface {
			changes, err := member.Canaries(namespace).Watch(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Error(err)
				return watch.NewEmptyWatch()
			}
			return changes
		}
		changes := open()
		group.Go(func() {
			defer func() { changes.Stop() }()
			seen := map[string]bool{}
			for len(seen) < count && t.Context().Err() == nil && !t.Failed() {
				change, ok := <-changes.ResultChan()
				if !ok { // a busy server ends those that fall behind, and a new one begins with what there is
					changes = open()
					continue
				}
				if found, ok := change.Object.(*unstructured.Unstructured); ok && wanted(found) {
					seen[found.GetName()] = true
				}
			}
		})
	}
	return group.Wait
}
