package integration

import (
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/test/fixture"
)

// Without leave to create namespaces a missing one is told of, with the way out, and its copies come soon after it does.
func TestNamespaceMissing(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.members["us-east-prod"].Namespace(t, w.canaries)
	w.startFanout(t, "--create-namespaces=false")
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectEvent(t, w.canaries, "api-health", "NamespaceMissing", "create it in the member, or start fanout with --create-namespaces")
	w.expectDerived(t, "us-east-prod", "api-health")
	w.expectNoEvent(t, w.canaries, "api-health", "NamespaceMissing", `agent "us-east-prod"`)
	if _, err := w.members["eu-west-prod"].Kube.CoreV1().Namespaces().Get(t.Context(), w.canaries, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the namespace was created, or: %v", err)
	}
	w.members["eu-west-prod"].Namespace(t, w.canaries)
	w.expectDerived(t, "eu-west-prod", "api-health")
}

// A namespace that is deleted in a member takes its copies with it. That it is on its way out is told as what it is, and
// when it is gone it is created anew with its copies.
func TestNamespaceTerminatesInAMember(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	member := w.members["eu-west-prod"]
	w.startFanout(t)
	for i := range 5 {
		w.hub.Apply(t, w.canary(fmt.Sprintf("check-%d", i), "*"))
	}
	w.expectCount(t, "eu-west-prod", 5)
	deleteNamespace(t, member, w.canaries)
	if err := member.Canaries(w.canaries).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	w.expectEvent(t, w.canaries, "check-0", "NamespaceTerminating", `agent "eu-west-prod"`)
	w.expectNoEvent(t, w.canaries, "check-0", "Forbidden", "")
	w.hub.Patch(t, w.canaries, "check-1", `{"spec":{"schedule":"@every 7m"}}`)
	w.expectDerived(t, "us-east-prod", "check-1")
	w.hub.Delete(t, w.canaries, "check-2")

	finalizeNamespace(t, member, w.canaries)
	w.expectCount(t, "eu-west-prod", 4)
	w.expectDerived(t, "eu-west-prod", "check-1")
}

// A namespace that is deleted in the hub takes its parents with it, one by one, and their copies go. The members keep the
// namespace.
func TestNamespaceDeletedInTheHub(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	for i := range 5 {
		w.hub.Apply(t, w.canary(fmt.Sprintf("check-%d", i), "*", "local"))
	}
	w.expectCount(t, "eu-west-prod", 5)
	fixture.Eventually(t, "the hub holds the parents and its own copies", func() error {
		return fixture.Same("their number", len(w.hub.List(t)), 10)
	})
	deleteNamespace(t, w.hub, w.canaries)
	for i := range 5 { // as the namespace controller would
		w.hub.Delete(t, w.canaries, fmt.Sprintf("check-%d", i))
	}
	w.expectCount(t, "eu-west-prod", 0)
	fixture.Eventually(t, "the hub holds none either", func() error {
		return fixture.Same("their number", len(w.hub.List(t)), 0)
	})
	finalizeNamespace(t, w.hub, w.canaries)
	if _, err := w.members["eu-west-prod"].Kube.CoreV1().Namespaces().Get(t.Context(), w.canaries, metav1.GetOptions{}); err != nil {
		t.Errorf("the member's namespace: %v", err)
	}
}

func deleteNamespace(t *testing.T, cluster *fixture.Cluster, name string) {
	t.Helper()
	if err := cluster.Kube.CoreV1().Namespaces().Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// finalizeNamespace does what the namespace controller does when nothing is left in a deleted namespace.
func finalizeNamespace(t *testing.T, cluster *fixture.Cluster, name string) {
	t.Helper()
	namespace, err := cluster.Kube.CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	namespace.Spec.Finalizers = nil
	if _, err := cluster.Kube.CoreV1().Namespaces().Finalize(t.Context(), namespace, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}
