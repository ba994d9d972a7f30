package integration

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/fanout/derive"
	"fanout/test/fixture"
)

// An application's own Helm chart has installed a check under the name that a parent has, too: the chart keeps it until
// its owner hands it over, and the other members have theirs.
func TestHelmsOwnCanaryStays(t *testing.T) {
	w := newWorld(t, agents...)
	member := w.members["eu-west-prod"]
	chart := fixture.Canary(w.canaries, "api-health")
	chart.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "payments"})
	chart.SetAnnotations(map[string]string{"meta.helm.sh/release-name": "payments", "meta.helm.sh/release-namespace": w.canaries})
	installed := member.Apply(t, chart)
	w.startFanout(t, "--resync-period=300ms")

	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectDerived(t, "us-east-prod", "api-health")
	w.expectDerived(t, "ap-south-dev", "api-health")
	w.expectEvent(t, w.canaries, "api-health", "Conflict", `agent "eu-west-prod"`)
	w.expectNoEvent(t, w.canaries, "api-health", "Conflict", `agent "us-east-prod"`)
	expectUnchanged(t, member, installed)

	t.Log("handed over")
	member.Patch(t, w.canaries, "api-health", `{"metadata":{"annotations":{"fanout.flanksource.com/adopt":"true"}}}`)
	fixture.Eventually(t, "it is fanout's and the request is consumed", func() error {
		adopted := member.Get(t, w.canaries, "api-health")
		_, left := adopted.GetAnnotations()[derive.AnnotationAdopt]
		return fixture.Same("its UID, manager and request", []any{adopted.GetUID(), adopted.GetLabels()["app.kubernetes.io/managed-by"], left},
			[]any{installed.GetUID(), "fanout", false})
	})
	w.hub.Delete(t, w.canaries, "api-health")
	w.expectHolders(t, "api-health")
}

// The well-known label alone makes nothing fanout's.
func TestManagedByAloneIsNotOwnership(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	member := w.members["eu-west-prod"]
	var others []*unstructured.Unstructured
	for _, name := range []string{"of-no-parent", "of-a-parent"} {
		other := fixture.Canary(w.canaries, name)
		other.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "fanout"})
		other.SetAnnotations(map[string]string{
			"fanout.flanksource.com/parent": w.canaries + "/" + name, "fanout.flanksource.com/agent": "eu-west-prod", "fanout.flanksource.com/hash": "0",
		})
		others = append(others, member.Apply(t, other))
	}
	w.startFanout(t, "--resync-period=300ms", "--orphan-sweep-period=300ms")
	w.hub.Apply(t, w.canary("of-a-parent", "*"))
	w.expectEvent(t, w.canaries, "of-a-parent", "Conflict", "was not created by fanout")
	w.hub.Delete(t, w.canaries, "of-a-parent")
	w.hub.Apply(t, w.canary("last", "*"))
	w.expectDerived(t, "eu-west-prod", "last")
	w.hub.Delete(t, w.canaries, "last")
	w.expectHolders(t, "last")
	for _, other := range others {
		expectUnchanged(t, member, other)
	}
}

// Two hubs want the same name in one member: the second waits until the first lets go of it.
func TestSecondHubGetsTheNameThatTheFirstLetsGo(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	member := w.members["eu-west-prod"]
	other := w.members["ap-south-dev"] // a hub of its own in this test
	other.Register(t, w.namespace, "shared", member.LeastRights(t, "member.yaml", w.namespace))
	w.startFanout(t)
	fixture.StartFanout(t, other.LeastRights(t, "hub.yaml", w.namespace), "--cluster-namespace", w.namespace, "--resync-period=300ms")

	w.hub.Apply(t, w.canary("api-health", "*"))
	first := w.expectDerived(t, "eu-west-prod", "api-health")
	parent := other.Apply(t, w.canary("api-health", "*"))
	expectEventIn(t, other, w.canaries, "api-health", "Conflict", fmt.Sprintf("belongs to the hub with ID %q", first.GetLabels()[derive.LabelHub]))
	expectUnchanged(t, member, first)

	w.hub.Delete(t, w.canaries, "api-health")
	fixture.Eventually(t, "the second hub has the name", func() error {
		copied := member.Get(t, w.canaries, "api-health")
		if err := fixture.Derived(copied, parent, "shared"); err != nil {
			return err
		}
		if copied.GetLabels()[derive.LabelHub] == first.GetLabels()[derive.LabelHub] {
			return fmt.Errorf("it is the first hub's")
		}
		return nil
	})
}

// expectUnchanged fails unless before still stands in cluster, as the same object at the same version.
func expectUnchanged(t *testing.T, cluster *fixture.Cluster, before *unstructured.Unstructured) {
	t.Helper()
	after := cluster.Get(t, before.GetNamespace(), before.GetName())
	if after == nil || after.GetUID() != before.GetUID() || after.GetResourceVersion() != before.GetResourceVersion() {
		t.Errorf("%s in %s was touched: %v", before.GetName(), cluster.Name, after)
	}
}
