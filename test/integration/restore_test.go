package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/test/controlplane"
	"fanout/test/fixture"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The hub's etcd goes back in time, while fanout runs and while it does not. Copies of parents that are no more go, what was
// changed since goes back, and what is as it was is not written.
func TestHubRestoredFromBackup(t *testing.T) {
	t.Parallel()
	t.Run("stopped", func(t *testing.T) { testHubRestored(t, false, false) })
	t.Run("running", func(t *testing.T) { testHubRestored(t, true, false) })
	// An API server that has just started may refuse for a moment who has not all rights, and is then listed anew for that
	// reason alone.
	t.Run("running and never refused", func(t *testing.T) { testHubRestored(t, true, true) })
}

func testHubRestored(t *testing.T, running, allRights bool) {
	const many = 10
	w := newWorld(t)
	hub := newBackedUp(t)
	w.hub = fixture.In(t, hub.set, "hub")
	if err := w.hub.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
		t.Fatal(err)
	}
	w.register(t, "eu-west-prod")
	member := w.members["eu-west-prod"]
	same := []string{"broadened"}
	for i := range many {
		same = append(same, fmt.Sprintf("same-%d", i))
	}
	for _, name := range append(slices.Clone(same), "edited", "toggled", "narrowed", "deleted", "recreated") {
		w.hub.Apply(t, w.canary(name, "eu-*", "local"))
	}
	rights := w.hub.LeastRights(t, "hub.yaml", w.namespace) // which the backup has, too
	if allRights {
		rights = w.hub.Kubeconfig
	}
	hub.backup(t)

	start := func() *fixture.Fanout {
		return fixture.StartFanout(t, rights, "--cluster-namespace", w.namespace, "--leader-elect=false")
	}
	controller := start()
	schedule := func(name, schedule string) {
		w.hub.Patch(t, w.canaries, name, fmt.Sprintf(`{"spec":{"schedule":%q}}`, schedule))
		w.expectDerived(t, "eu-west-prod", name)
	}
	for i := range many {
		w.hub.Apply(t, w.canary(fmt.Sprintf("late-%d", i), "*", "local"))
	}
	schedule("edited", "@every 7m")
	schedule("toggled", "@every 7m")
	schedule("toggled", "@every 30s")
	w.hub.Patch(t, w.canaries, "broadened", `{"spec":{"agentSelector":["*","local"]}}`)
	w.hub.Patch(t, w.canaries, "narrowed", `{"spec":{"agentSelector":["nowhere"]}}`)
	w.hub.Delete(t, w.canaries, "deleted")
	w.hub.Delete(t, w.canaries, "recreated")
	w.expectHolders(t, "recreated")
	w.hub.Apply(t, w.canary("recreated", "*"))
	for _, name := range append(slices.Clone(same), "edited", "toggled", "recreated", "late-0", fmt.Sprintf("late-%d", many-1)) {
		w.expectDerived(t, "eu-west-prod", name)
	}
	w.expectHolders(t, "deleted")
	w.expectHolders(t, "narrowed")
	w.expectCount(t, "eu-west-prod", len(same)+3+many)

	if !running {
		controller.Stop(t)
	}
	before := map[string]*unstructured.Unstructured{}
	for _, copied := range member.List(t) {
		before[copied.GetName()] = &copied
	}
	written := w.fanoutWrites(t, "eu-west-prod")
	hub.restore(t)
	if !running {
		start()
	}
	for i := range many {
		w.expectHoldersSoon(t, fmt.Sprintf("late-%d", i))
	}
	for _, name := range append(slices.Clone(same), "edited", "toggled", "narrowed", "deleted", "recreated") {
		copied := w.expectDerived(t, "eu-west-prod", name)
		if known := before[name]; known != nil && known.GetUID() != copied.GetUID() {
			t.Errorf("%s is another one", name)
		}
		if generation := copied.GetAnnotations()[derive.AnnotationParentGeneration]; generation != "1" {
			t.Errorf("%s comes from generation %s, which the parent has not reached", name, generation)
		}
	}
	for _, name := range same {
		expectUnchanged(t, member, before[name])
		if more := w.fanoutWrites(t, "eu-west-prod")[name][len(written[name]):]; len(more) != 0 {
			t.Errorf("%s was written: %v", name, more)
		}
	}
	w.expectCount(t, "eu-west-prod", len(same)+5)
	fixture.Eventually(t, "the hub has its own copies, and the Secret its finalizer", func() error {
		secret, err := w.hub.Kube.CoreV1().Secrets(w.namespace).Get(t.Context(), "eu-west-prod", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return fixture.Same("they", []any{len(w.hub.List(t)), secret.Finalizers}, []any{2 * (len(same) + 5), []string{clusters.Finalizer}})
	})

	t.Log("and life goes on")
	schedule("same-1", "@every 9m")
	w.hub.Apply(t, w.canary("new", "*"))
	w.expectDerived(t, "eu-west-prod", "new")
	w.hub.Delete(t, w.canaries, "same-2")
	w.expectHolders(t, "same-2")
}

// expectHoldersSoon waits until nobody holds name, for as long as fanout's watches of a hub that was away may need to come back.
func (w *world) expectHoldersSoon(t *testing.T, name string) {
	t.Helper()
	fixture.EventuallyWithin(t, 90*time.Second, name+" is nowhere", func() error {
		if holders := w.holders(t, w.canaries, name); len(holders) > 0 {
			return fmt.Errorf("it is in %v", holders)
		}
		return nil
	})
}

// backedUp is a hub of its own, whose etcd can be put back to what it was.
type backedUp struct {
	set          *controlplane.Set
	data, backed string
}

func newBackedUp(t *testing.T) *backedUp {
	t.Helper()
	dir := t.TempDir()
	set, err := controlplane.Start(t.Context(), controlplane.Options{Dir: dir, Names: []string{"hub"}, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := set.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &backedUp{set: set, data: filepath.Join(dir, "hub", "etcd"), backed: filepath.Join(dir, "backup")}
}

func (b *backedUp) backup(t *testing.T) {
	t.Helper()
	b.whileStopped(t, func() error { return os.CopyFS(b.backed, os.DirFS(b.data)) })
}

func (b *backedUp) restore(t *testing.T) {
	t.Helper()
	b.whileStopped(t, func() error {
		if err := os.RemoveAll(b.data); err != nil {
			return err
		}
		return os.CopyFS(b.data, os.DirFS(b.backed))
	})
}

func (b *backedUp) whileStopped(t *testing.T, do func() error) {
	t.Helper()
	if err := b.set.StopOne("hub"); err != nil {
		t.Fatal(err)
	}
	if err := do(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := b.set.StartOne(ctx, "hub"); err != nil {
		t.Fatal(err)
	}
}
