package charts

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"fanout/test/fixture"
)

// Each case's manifests are accepted by a real API server that checks every field, and its pods by Pod Security at the level
// restricted. The kinds of the Prometheus operator are described in testdata.
func TestAPIServerAccepts(t *testing.T) {
	server := newServer(t)
	for i, s := range switches {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			namespace := fmt.Sprintf("restricted-%d", i)
			server.restricted(t, namespace)
			// Those that values name, and that are there before.
			server.restricted(t, "argocd")
			for _, account := range []string{"existing", "default"} {
				server.account(t, namespace, account)
			}
			server.accepts(t, render(t, cmp.Or(s.release, "fanout"), namespace, s.values))
		})
	}
}

// What the test above relies on: a pod that is not restricted is refused, and a Deployment of such pods is warned of.
func TestAPIServerRefuses(t *testing.T) {
	server := newServer(t)
	server.restricted(t, "refused")
	server.account(t, "refused", "fanout")
	r := render(t, "fanout", "refused", "securityContext: {allowPrivilegeEscalation: true}")
	if err := server.admits(t, "refused", r.deployment(t).Spec.Template.ObjectMeta, r.pod(t)); !apierrors.IsForbidden(err) {
		t.Errorf("a pod with privileges is not refused: %v", err)
	}
	for _, object := range r.untyped {
		if object.GetKind() == "Deployment" {
			if warnings, err := server.apply(t, object, true); err != nil || !strings.Contains(warnings, "PodSecurity") {
				t.Errorf("no warning of Pod Security: %q, %v", warnings, err)
			}
		}
	}
	monitor := render(t, "fanout", "refused", "serviceMonitor: {enabled: true}").custom(t, "ServiceMonitor")
	monitor.Object["spec"].(map[string]any)["endpoint"] = "http"
	if _, err := server.apply(t, monitor, true); err == nil || !strings.Contains(err.Error(), "endpoint") {
		t.Errorf("a field that a ServiceMonitor does not have is not refused: %v", err)
	}
}

// server is the hub, asked as an administrator who reads warnings.
type server struct {
	*fixture.Cluster
	mapper *restmapper.DeferredDiscoveryRESTMapper
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{Cluster: hub(t)}
	for _, file := range []string{"testdata/servicemonitors.yaml", "testdata/prometheusrules.yaml"} {
		if err := s.InstallCRD(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	client, err := discovery.NewDiscoveryClientForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	s.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client))
	return s
}

// restricted makes sure of a namespace in which Pod Security is enforced.
func (s *server) restricted(t *testing.T, name string) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		"pod-security.kubernetes.io/enforce": "restricted",
		"pod-security.kubernetes.io/warn":    "restricted",
	}}}
	if _, err := s.Kube.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}

// account makes sure of a ServiceAccount: no pod is admitted without.
func (s *server) account(t *testing.T, namespace, name string) {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := s.Kube.CoreV1().ServiceAccounts(namespace).Create(t.Context(), account, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}

func (s *server) accepts(t *testing.T, r *release) {
	t.Helper()
	for _, object := range r.untyped {
		// ServiceAccounts for good, since the pods need them.
		warnings, err := s.apply(t, object, object.GetKind() != "ServiceAccount")
		if err != nil || warnings != "" {
			t.Errorf("%s %s: %v %s", object.GetKind(), object.GetName(), err, warnings)
		}
	}
	template := r.deployment(t).Spec.Template
	if err := s.admits(t, r.namespace, template.ObjectMeta, template.Spec); err != nil {
		t.Errorf("the pod is refused: %v", err)
	}
	for _, job := range jobs(r) {
		if err := s.admits(t, r.namespace, job.Spec.Template.ObjectMeta, job.Spec.Template.Spec); err != nil {
			t.Errorf("the pod of %s is refused: %v", job.Name, err)
		}
	}
}

// admits returns nil if a pod may be created.
func (s *server) admits(t *testing.T, namespace string, meta metav1.ObjectMeta, spec corev1.PodSpec) error {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: meta, Spec: spec}
	pod.GenerateName = "pod-"
	_, err := s.Kube.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{
		DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict,
	})
	return err
}

// apply applies an object and returns what the API server warns of.
func (s *server) apply(t *testing.T, object *unstructured.Unstructured, dry bool) (warnings string, err error) {
	t.Helper()
	gvk := object.GroupVersionKind()
	mapping, err := s.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		t.Fatal(err)
	}
	heard := &listener{}
	config := rest.CopyConfig(s.Config)
	config.WarningHandler = heard
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	force := true
	options := metav1.PatchOptions{FieldManager: "helm", Force: &force, FieldValidation: metav1.FieldValidationStrict}
	if dry {
		options.DryRun = []string{metav1.DryRunAll}
	}
	_, err = client.Resource(mapping.Resource).Namespace(object.GetNamespace()).Patch(t.Context(), object.GetName(), types.ApplyPatchType, body, options)
	return heard.String(), err
}

// listener keeps warnings.
type listener struct {
	mu   sync.Mutex
	said []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (l *listener) HandleWarningHeader(_ int, _ string, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, text)
}

func (l *listener) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.said, "; ")
}
