// Package integration holds the tests that run the real fanout binary between real API servers.
package integration

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/test/controlplane"
	"fanout/test/fixture"
)

// The members that tests have at their disposal; which are registered is up to each.
var agents = []string{"eu-west-prod", "us-east-prod", "ap-south-dev"}

var planes *controlplane.Pool

func TestMain(m *testing.M) {
	os.Exit(controlplane.PoolForMain(m, &planes, append([]string{"hub"}, agents...)...))
}

// world is a hub and members with the upstream CRD, which are one test's alone while it runs, and empty at its start and at its end.
type world struct {
	planes    *controlplane.Set
	hub       *fixture.Cluster
	members   map[string]*fixture.Cluster
	namespace string // of the Secrets
	canaries  string // a namespace for this test's Canaries
}

var worlds atomic.Int32

// newWorld has the test run beside others, and registers those members and no others.
func newWorld(t *testing.T, registered ...string) *world {
	t.Helper()
	t.Parallel()
	number := worlds.Add(1)
	set := planes.Lend(t)
	w := &world{
		planes:    set,
		hub:       fixture.In(t, set, "hub"),
		members:   map[string]*fixture.Cluster{},
		namespace: fmt.Sprintf("fanout-%d", number),
		canaries:  fmt.Sprintf("canaries-%d", number),
	}
	crd := fixture.CRD(t)
	for _, agent := range agents {
		w.members[agent] = fixture.In(t, set, agent)
	}
	for _, cluster := range w.all() {
		if err := cluster.InstallCRD(t.Context(), crd); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cluster.Clean(t, w.namespace) })
	}
	w.hub.Namespace(t, w.namespace)
	for _, agent := range registered {
		w.register(t, agent)
	}
	return w
}

func (w *world) all() []*fixture.Cluster {
	all := []*fixture.Cluster{w.hub}
	for _, agent := range agents {
		all = append(all, w.members[agent])
	}
	return all
}

func (w *world) register(t *testing.T, agent string) {
	t.Helper()
	w.hub.Register(t, w.namespace, agent, w.members[agent].LeastRights(t, "member.yaml", w.namespace))
}

// stop stops a member until start is called or the test ends.
func (w *world) stop(t *testing.T, agent string) {
	t.Helper()
	if err := w.planes.StopOne(agent); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.start(t, agent) })
}

func (w *world) start(t *testing.T, agent string) {
	t.Helper()
	// Called in cleanups too, when the test's own context has ended.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.planes.StartOne(ctx, agent); err != nil {
		t.Error(err)
	}
}

func (w *world) startFanout(t *testing.T, flags ...string) *fixture.Fanout {
	t.Helper()
	return fixture.StartFanout(t, w.hub.LeastRights(t, "hub.yaml", w.namespace), append([]string{"--cluster-namespace", w.namespace}, flags...)...)
}

// canary returns a parent in this test's namespace.
func (w *world) canary(name string, selector ...string) *unstructured.Unstructured {
	return fixture.Canary(w.canaries, name, selector...)
}

// holders returns the agents whose clusters hold that Canary.
func (w *world) holders(t *testing.T, namespace, name string) []string {
	t.Helper()
	var holders []string
	for _, agent := range agents {
		if w.members[agent].Get(t, namespace, name) != nil {
			holders = append(holders, agent)
		}
	}
	return holders
}

// expectHolders waits until the copies of name are in exactly those members.
func (w *world) expectHolders(t *testing.T, name string, want ...string) {
	t.Helper()
	w.expectHoldersIn(t, w.canaries, name, want...)
}

// expectHoldersIn is expectHolders for another namespace than the test's own.
func (w *world) expectHoldersIn(t *testing.T, namespace, name string, want ...string) {
	t.Helper()
	fixture.Eventually(t, fmt.Sprintf("%s is in %v and nowhere else", name, want), func() error {
		if got := w.holders(t, namespace, name); !slices.Equal(got, want) {
			return fmt.Errorf("it is in %v", got)
		}
		return nil
	})
}

// expectDerived waits until agent's copy is what should be derived from the parent as the hub holds it now.
func (w *world) expectDerived(t *testing.T, agent, name string) *unstructured.Unstructured {
	t.Helper()
	var copied *unstructured.Unstructured
	fixture.Eventually(t, fmt.Sprintf("%s holds what is derived from %s", agent, name), func() error {
		parent := w.hub.Get(t, w.canaries, name)
		if parent == nil {
			return fmt.Errorf("there is no parent")
		}
		copied = w.members[agent].Get(t, w.canaries, name)
		return fixture.Derived(copied, parent, agent)
	})
	return copied
}
