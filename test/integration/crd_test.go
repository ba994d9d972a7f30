package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"fanout/test/fixture"
)

// A member whose CRD lacks a field is told of by that field's name, once and without a second attempt, and keeps what it
// has; the other members are as ever. When the CRD is upgraded the copies follow.
func TestMemberLacksAField(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	member := w.members["eu-west-prod"]
	install(t, member, func(t *testing.T, version map[string]any) {
		remove(t, version, "spec", "properties", "http", "items", "properties", "responseCodes")
	})
	w.startFanout(t)
	plain := w.canary("known", "*")
	delete(plain.Object["spec"].(map[string]any), "http")
	w.hub.Apply(t, plain)
	known := w.expectDerived(t, "eu-west-prod", "known")

	w.hub.Apply(t, w.canary("unknown", "*"))
	w.hub.Apply(t, w.canary("known", "*")) // with http
	for _, name := range []string{"known", "unknown"} {
		w.expectDerived(t, "us-east-prod", name)
		w.expectEvent(t, w.canaries, name, "UnknownField", `agent "eu-west-prod": the member's Canary CRD does not know spec.http[0].responseCodes`)
	}
	expectUnchanged(t, member, known)
	for i := range 5 { // and time passes
		plain.SetName(fmt.Sprintf("plain-%d", i))
		w.hub.Apply(t, plain)
		w.expectDerived(t, "eu-west-prod", plain.GetName())
	}
	w.expectHolders(t, "unknown", "us-east-prod")
	if tried := w.fanoutWrites(t, "eu-west-prod")["unknown"]; len(tried) != 1 {
		t.Errorf("it was tried %d times: %v", len(tried), tried)
	}

	if err := member.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
		t.Fatal(err)
	}
	// A resync, or the next edit, tries again.
	w.hub.Patch(t, w.canaries, "unknown", `{"spec":{"schedule":"@every 7m"}}`)
	w.expectDerived(t, "eu-west-prod", "unknown")
}

// Where a CRD says of a field no more than that it is an object, the API server accepts what is in it and drops it without a
// word. That is told, too.
func TestMemberDropsAField(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	member := w.members["eu-west-prod"]
	install(t, member, func(t *testing.T, version map[string]any) {
		remove(t, version, "spec", "properties", "http", "items", "properties")
	})
	w.startFanout(t, "--resync-period=2s")
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectEvent(t, w.canaries, "api-health", "Altered", `agent "eu-west-prod": the member does not keep spec.http of Canary`)
	w.expectDerived(t, "us-east-prod", "api-health")
	w.expectNoEvent(t, w.canaries, "api-health", "Altered", `agent "us-east-prod"`)
	if err := member.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
		t.Fatal(err)
	}
	w.expectDerived(t, "eu-west-prod", "api-health")
}

// A member's API server ends the watches of a CRD that is upgraded, so that what it did not know before is tried again at
// once, and not at the next resync.
func TestAnUpgradedCRDIsFollowed(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	member := w.members["eu-west-prod"]
	install(t, member, func(t *testing.T, version map[string]any) {
		remove(t, version, "spec", "properties", "http")
	})
	w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectEvent(t, w.canaries, "api-health", "UnknownField", "spec.http")
	if err := member.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
		t.Fatal(err)
	}
	w.expectDerived(t, "eu-west-prod", "api-health")
}

// A CRD that serves Canaries outside of namespaces, or in another version only, is no use; what is wrong is told, and when
// it is mended the copies come.
func TestMemberHasAnotherCRD(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	scoped, versioned := w.members["eu-west-prod"], w.members["us-east-prod"]
	scoped.RemoveCRD(t)
	installWhole(t, scoped, func(crd map[string]any) {
		_ = unstructured.SetNestedField(crd, "Cluster", "spec", "scope")
	})
	versioned.RemoveCRD(t)
	install(t, versioned, func(_ *testing.T, version map[string]any) { version["name"] = "v1beta1" })
	w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectEvent(t, w.canaries, "api-health", "CanaryCRDMissing", `agent "eu-west-prod"`)
	w.expectSecretEvent(t, "us-east-prod", "CanaryCRDMissing", "canaries.flanksource.com/v1")
	for _, member := range []*fixture.Cluster{scoped, versioned} {
		member.RemoveCRD(t)
		if err := member.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
			t.Fatal(err)
		}
	}
	w.expectDerived(t, "eu-west-prod", "api-health")
	w.expectDerived(t, "us-east-prod", "api-health")
}

// A member's CRD that is removed while fanout runs takes all copies with it; they come back with it.
func TestMemberCRDReinstalled(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	member := w.members["eu-west-prod"]
	w.startFanout(t)
	for i := range 10 {
		w.hub.Apply(t, w.canary(fmt.Sprintf("check-%d", i), "*"))
	}
	w.expectCount(t, "eu-west-prod", 10)
	member.RemoveCRD(t)
	w.expectSecretEvent(t, "eu-west-prod", "CanaryCRDMissing", "install canary-checker")
	w.hub.Patch(t, w.canaries, "check-3", `{"spec":{"schedule":"@every 7m"}}`)
	w.hub.Delete(t, w.canaries, "check-4")
	w.expectDerived(t, "us-east-prod", "check-3")
	if err := member.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
		t.Fatal(err)
	}
	w.expectCount(t, "eu-west-prod", 9)
	w.expectDerived(t, "eu-west-prod", "check-3")
	for i := range 10 {
		w.expectNoEvent(t, w.canaries, fmt.Sprintf("check-%d", i), "Forbidden", "")
	}
}

// When the hub's CRD comes back, its Canaries are not there yet, and nothing is pruned in between. Those that are applied
// again have new UIDs; their copies stay the objects that they were.
func TestHubCRDReinstalled(t *testing.T) {
	const parents = 20
	w := newWorld(t, "eu-west-prod")
	controller := w.startFanout(t)
	name := func(i int) string { return fmt.Sprintf("check-%d", i) }
	before := map[string]types.UID{}
	for i := range parents {
		w.hub.Apply(t, w.canary(name(i), "*"))
	}
	for i := range parents {
		before[name(i)] = w.expectDerived(t, "eu-west-prod", name(i)).GetUID()
	}
	w.hub.RemoveCRD(t)
	refused := func() float64 { return controller.Metric(t, "fanout_sync_errors_total", "reason", "HubUnknown") }
	fixture.Eventually(t, "fanout has refused to prune each", func() error {
		if refused() < parents {
			return fmt.Errorf("it did %v times", refused())
		}
		return nil
	})
	if err := w.hub.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
		t.Fatal(err)
	}
	since := refused()
	w.hub.Apply(t, w.canary("first-back", "*"))
	w.expectDerivedSlowly(t, "eu-west-prod", "first-back")
	fixture.Eventually(t, "it goes on refusing", func() error {
		if more := refused() - since; more < parents {
			return fmt.Errorf("it did %v times more", more)
		}
		return nil
	})
	w.expectCount(t, "eu-west-prod", parents+1)
	for i := range parents {
		w.hub.Apply(t, w.canary(name(i), "*"))
	}
	for i := range parents {
		if back := w.expectDerived(t, "eu-west-prod", name(i)).GetUID(); back != before[name(i)] {
			t.Errorf("%s is another one", name(i))
		}
	}
	if deleted := controller.Metric(t, "fanout_writes_total", "action", "deleted"); deleted != 0 {
		t.Errorf("it deleted %v copies", deleted)
	}
}

// The same, when all of it happened while fanout was away: what it finds is a hub without parents.
func TestHubCRDReinstalledWhileFanoutIsAway(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	controller := w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*"))
	before := w.expectDerived(t, "eu-west-prod", "api-health").GetUID()
	controller.Stop(t)
	w.hub.RemoveCRD(t)
	if err := w.hub.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
		t.Fatal(err)
	}
	controller = w.startFanout(t)
	fixture.Eventually(t, "fanout refuses to prune, time and again", func() error {
		if refused := controller.Metric(t, "fanout_sync_errors_total", "agent", "eu-west-prod", "reason", "HubUnknown"); refused < 3 {
			return fmt.Errorf("it did %v times", refused)
		}
		return nil
	})

	t.Log("a parent that came and went since then is another matter")
	w.hub.Apply(t, w.canary("passing", "*"))
	w.expectDerived(t, "eu-west-prod", "passing")
	w.hub.Delete(t, w.canaries, "passing")
	w.expectHolders(t, "passing")
	w.hub.Apply(t, w.canary("api-health", "*"))
	if back := w.expectDerived(t, "eu-west-prod", "api-health").GetUID(); back != before {
		t.Errorf("the copy is another one")
	}
}

// expectDerivedSlowly is expectDerived for what waits for the hub's informer, which asks for what is not there at intervals
// of up to 45s.
func (w *world) expectDerivedSlowly(t *testing.T, agent, name string) {
	t.Helper()
	fixture.EventuallyWithin(t, 90*time.Second, fmt.Sprintf("%s holds what is derived from %s", agent, name), func() error {
		return fixture.Derived(w.members[agent].Get(t, w.canaries, name), w.hub.Get(t, w.canaries, name), agent)
	})
}

// install installs the CRD in cluster with its first version edited.
func install(t *testing.T, cluster *fixture.Cluster, edit func(t *testing.T, version map[string]any)) {
	t.Helper()
	installWhole(t, cluster, func(crd map[string]any) {
		versions, _, err := unstructured.NestedSlice(crd, "spec", "versions")
		if err != nil {
			t.Fatal(err)
		}
		edit(t, versions[0].(map[string]any))
		_ = unstructured.SetNestedSlice(crd, versions, "spec", "versions")
	})
}

func installWhole(t *testing.T, cluster *fixture.Cluster, edit func(crd map[string]any)) {
	t.Helper()
	data, err := os.ReadFile(fixture.CRD(t))
	if err != nil {
		t.Fatal(err)
	}
	crd := map[string]any{}
	if err := yaml.Unmarshal(data, &crd); err != nil {
		t.Fatal(err)
	}
	edit(crd)
	if data, err = yaml.Marshal(crd); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "crd.yaml")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cluster.InstallCRD(t.Context(), path); err != nil {
		t.Fatal(err)
	}
}

// remove takes a part out of a CRD version's schema. A CRD that has no schema of it can't play this part.
func remove(t *testing.T, version map[string]any, path ...string) {
	t.Helper()
	path = append([]string{"schema", "openAPIV3Schema", "properties"}, path...)
	if _, found, _ := unstructured.NestedFieldNoCopy(version, path...); !found {
		if os.Getenv("CI") != "" { // which has canary-checker's own
			t.Fatalf("the CRD declares no %v", path)
		}
		t.Skipf("the CRD declares no %v", path)
	}
	unstructured.RemoveNestedField(version, path...)
}
