package charts

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	yamlstream "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// release is what helm would send to the API server.
type release struct {
	name, namespace string
	typed           []runtime.Object
	untyped         []*unstructured.Unstructured
}

// render renders the chart with those values, and decodes each object so strictly that a field that its kind does not have, or has
// twice, is an error.
func render(t testing.TB, name, namespace, values string) *release {
	t.Helper()
	text, err := helm(t, values, "template", name, chart, "--namespace", namespace, "--values", "-")
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, name, namespace, text)
}

func decode(t testing.TB, name, namespace, text string) *release {
	t.Helper()
	r := &release{name: name, namespace: namespace}
	strict := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yamlstream.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(document, &object.Object); err != nil {
			t.Fatalf("%v:\n%s", err, document)
		}
		if len(object.Object) == 0 {
			if trimmed := bytes.TrimSpace(bytes.Trim(document, "-")); len(trimmed) > 0 && trimmed[0] != '#' {
				t.Fatalf("no object: %s", document)
			}
			continue
		}
		r.untyped = append(r.untyped, object)
		if strings.HasSuffix(object.GroupVersionKind().Group, "coreos.com") {
			continue // no types for these here; the API server knows their schema
		}
		typed, _, err := strict.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", object.GetKind(), object.GetName(), err, document)
		}
		r.typed = append(r.typed, typed)
	}
	return r
}

// all returns the objects of one type that no hook makes.
func all[T runtime.Object](r *release) []T {
	var found []T
	for _, object := range r.typed {
		if typed, ok := object.(T); ok && !isHook(object) {
			found = append(found, typed)
		}
	}
	return found
}

func isHook(object runtime.Object) bool {
	meta, ok := object.(interface{ GetAnnotations() map[string]string })
	return ok && meta.GetAnnotations()["helm.sh/hook"] != ""
}

// one returns the one object of a type that no hook makes.
func one[T runtime.Object](t testing.TB, r *release) T {
	t.Helper()
	found := all[T](r)
	if len(found) != 1 {
		t.Fatalf("there are %d objects of type %T", len(found), *new(T))
	}
	return found[0]
}

// hooks returns the objects of a type that hooks make.
func hooks[T runtime.Object](r *release) []T {
	var found []T
	for _, object := range r.typed {
		if typed, ok := object.(T); ok && isHook(object) {
			found = append(found, typed)
		}
	}
	return found
}

// kinds are those of all objects that no hook makes.
func (r *release) kinds() map[string]int {
	kinds := map[string]int{}
	for _, object := range r.untyped {
		if object.GetAnnotations()["helm.sh/hook"] == "" {
			kinds[object.GetKind()]++
		}
	}
	return kinds
}

// custom returns the one object of a kind that has no Go type here.
func (r *release) custom(t testing.TB, kind string) *unstructured.Unstructured {
	t.Helper()
	for _, object := range r.untyped {
		if object.GetKind() == kind {
			return object
		}
	}
	t.Fatalf("there is no %s", kind)
	return nil
}

func (r *release) deployment(t testing.TB) *appsv1.Deployment {
	t.Helper()
	return one[*appsv1.Deployment](t, r)
}

func (r *release) pod(t testing.TB) corev1.PodSpec {
	t.Helper()
	return r.deployment(t).Spec.Template.Spec
}

func (r *release) container(t testing.TB) corev1.Container {
	t.Helper()
	containers := r.pod(t).Containers
	if len(containers) == 0 || containers[0].Name != "fanout" {
		t.Fatalf("the pod's containers are %v", containers)
	}
	return containers[0]
}

// jobs are those that hooks run.
func jobs(r *release) []*batchv1.Job { return hooks[*batchv1.Job](r) }
