package controlplane

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

var shared *Set

func TestMain(m *testing.M) {
	if dir := os.Getenv(abandonIn); dir != "" {
		os.Exit(complain(abandon(dir)))
	}
	os.Exit(ForMain(m, &shared, "hub", "member"))
}

var (
	configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	secrets    = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	canaries   = schema.GroupVersionResource{Group: "canaries.flanksource.com", Version: "v1", Resource: "canaries"}
)

func TestClustersAreIsolated(t *testing.T) {
	hub, member := shared.Cluster("hub"), shared.Cluster("member")
	create(t, hub.Config, configMaps, "only-in-the-hub")

	_, err := client(t, member.Config).Resource(configMaps).Namespace("default").Get(t.Context(), "only-in-the-hub", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the member's answer for the hub's object: %v, want NotFound", err)
	}

	// The hub's credential is nobody's in the member.
	stranger := rest.CopyConfig(member.Config)
	stranger.CertData, stranger.KeyData = hub.Config.CertData, hub.Config.KeyData
	_, err = client(t, stranger).Resource(configMaps).Namespace("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsUnauthorized(err) {
		t.Errorf("the member's answer to the hub's credential: %v, want Unauthorized", err)
	}
}

func TestIssuedIdentityHasOnlyWhatRBACGives(t *testing.T) {
	hub := shared.Cluster("hub")
	kubeconfig, err := hub.KubeconfigFor(t.Context(), "jane", "readers")
	if err != nil {
		t.Fatal(err)
	}
	jane, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client(t, jane).Resource(secrets).Namespace("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `"jane"`) {
		t.Errorf("list secrets as jane: %v, want Forbidden to jane", err)
	}
}

func TestServiceAccountToken(t *testing.T) {
	hub := shared.Cluster("hub")
	accounts := client(t, hub.Config).Resource(schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}).Namespace("default")
	create(t, hub.Config, schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}, "robot")
	request := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": map[string]any{"name": "robot"}, "spec": map[string]any{},
	}}
	answer, err := accounts.Create(t.Context(), request, metav1.CreateOptions{}, "token")
	if err != nil {
		t.Fatal(err)
	}
	robot := rest.AnonymousClientConfig(hub.Config)
	robot.BearerToken, _, _ = unstructured.NestedString(answer.Object, "status", "token")
	_, err = client(t, robot).Resource(secrets).Namespace("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "system:serviceaccount:default:robot") {
		t.Errorf("list secrets as robot: %v, want Forbidden to the service account", err)
	}
	robot.BearerToken += "x"
	_, err = client(t, robot).Resource(secrets).Namespace("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsUnauthorized(err) {
		t.Errorf("list secrets with a bad token: %v, want Unauthorized", err)
	}
}

func TestInstallCRDAndCountWrites(t *testing.T) {
	crd := filepath.Join("..", "..", "hack", "demo", "canary-crd.yaml")
	hub := shared.Cluster("hub")
	for range 2 { // the second time changes nothing
		if err := hub.InstallCRD(t.Context(), crd); err != nil {
			t.Fatal(err)
		}
	}
	definition := client(t, hub.Config).Resource(Definitions)
	const name = "canaries.canaries.flanksource.com"
	whole, err := definition.Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	less := []byte(`[{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"}]`)
	if _, err := definition.Patch(t.Context(), name, types.JSONPatchType, less, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := hub.InstallCRD(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	mended, err := definition.Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole.Object["spec"], mended.Object["spec"]); diff != "" {
		t.Errorf("what somebody changed is not mended (-before +after):\n%s", diff)
	}
	before := writes(t, hub, "canaries")
	config := rest.CopyConfig(hub.Config)
	config.UserAgent = "the-test"
	object := client(t, config).Resource(canaries).Namespace("default")
	canary := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "canaries.flanksource.com/v1", "kind": "Canary",
		"metadata": map[string]any{"name": "a", "namespace": "default"},
		"spec":     map[string]any{"interval": int64(30)},
	}}
	if _, err := object.Apply(t.Context(), "a", canary, metav1.ApplyOptions{FieldManager: "test"}); err != nil {
		t.Fatal(err)
	}
	if err := object.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := object.Delete(t.Context(), "a", metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	if got := writes(t, hub, "canaries") - before; got != 2 {
		t.Errorf("%d writes counted, want 2: an apply and a delete", got)
	}
	all, err := hub.AuditedWrites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := all[len(all)-1]
	if last.Verb != "delete" || last.Name != "a" || last.Code != http.StatusNotFound || last.UserAgent != "the-test" || last.User != "admin" {
		t.Errorf("last write: %+v, want the-test's delete of what isn't there", last)
	}
}

func client(t *testing.T, config *rest.Config) dynamic.Interface {
	t.Helper()
	c, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func create(t *testing.T, config *rest.Config, gvr schema.GroupVersionResource, name string) {
	t.Helper()
	kinds := map[string]string{"configmaps": "ConfigMap", "serviceaccounts": "ServiceAccount"}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": kinds[gvr.Resource], "metadata": map[string]any{"name": name, "namespace": "default"},
	}}
	if _, err := client(t, config).Resource(gvr).Namespace("default").Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func writes(t *testing.T, c *Cluster, resource string) int {
	t.Helper()
	n, err := c.Writes(t.Context(), resource)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
