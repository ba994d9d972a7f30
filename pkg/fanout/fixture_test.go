package fanout

import (
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

const (
	thisHub  = "6f1ab6bc-hub"
	otherHub = "0c5d9e44-hub"
	member1  = "eu-west-prod"
	member2  = "us-east-prod"
)

// JSON as it is decoded.
type (
	fields = map[string]any
	list   = []any
)

// edit changes a Canary of the tests.
type edit func(*unstructured.Unstructured)

// aParent is a Canary as the hub's API server returns it, with everything that one may carry.
func aParent(edits ...edit) *unstructured.Unstructured {
	parent := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "canaries.flanksource.com/v1",
		"kind":       "Canary",
		"metadata": map[string]any{
			"namespace":         "payments",
			"name":              "api-health",
			"uid":               "1d6c3e52-parent",
			"generation":        int64(3),
			"resourceVersion":   "4711",
			"creationTimestamp": "2026-01-02T03:04:05Z",
			"finalizers":        []any{"canary.canaries.flanksource.com"},
			"managedFields":     []any{map[string]any{"manager": "kubectl"}},
			"ownerReferences":   []any{map[string]any{"kind": "Application", "name": "payments"}},
			"labels":            map[string]any{"team": "payments"},
			"annotations":       map[string]any{"docs": "https://wiki.example.com/payments"},
		},
		"spec": map[string]any{
			"agentSelector": []any{"*-prod"},
			"schedule":      "@every 30s",
			"http": []any{map[string]any{
				"name": "api", "url": "https://api.example.com/healthz", "thresholdMillis": int64(500),
			}},
			"icon": map[string]any{"name": "heart", "tags": map[string]any{}},
		},
		"status": map[string]any{"status": "Passed"},
	}}
	for _, edit := range edits {
		edit(parent)
	}
	return parent
}

// demandOf is what parent asks of agent's cluster.
func demandOf(parent *unstructured.Unstructured, hubID, agent string) demand {
	return derive(parent, withoutRoundTrip(parent.Object["spec"], managersOf(parent)), hubID, agent)
}

func withLabel(key, value string) edit {
	return func(c *unstructured.Unstructured) {
		labels := c.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[key] = value
		c.SetLabels(labels)
	}
}

func withAnnotation(key, value string) edit {
	return func(c *unstructured.Unstructured) {
		annotations := c.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[key] = value
		c.SetAnnotations(annotations)
	}
}

func withoutLabel(key string) edit {
	return func(c *unstructured.Unstructured) {
		labels := c.GetLabels()
		delete(labels, key)
		c.SetLabels(labels)
	}
}

func withUID(uid types.UID) edit {
	return func(c *unstructured.Unstructured) { c.SetUID(uid) }
}

func withGeneration(generation int64) edit {
	return func(c *unstructured.Unstructured) { c.SetGeneration(generation) }
}

func withVersion(version int) edit {
	return func(c *unstructured.Unstructured) { c.SetResourceVersion(strconv.Itoa(version)) }
}

func withSelector(selector any) edit { return withSpec("agentSelector", selector) }

// withSpec sets one field of the spec, without sharing what it replaces.
func withSpec(field string, value any) edit {
	return func(c *unstructured.Unstructured) {
		spec, _ := c.Object["spec"].(map[string]any)
		if spec = maps.Clone(spec); spec == nil {
			spec = map[string]any{}
		}
		spec[field] = value
		c.Object["spec"] = spec
	}
}

func withoutSpec(field string) edit {
	return func(c *unstructured.Unstructured) {
		spec := maps.Clone(c.Object["spec"].(map[string]any))
		delete(spec, field)
		c.Object["spec"] = spec
	}
}

func withStatus(status string) edit {
	return func(c *unstructured.Unstructured) { c.Object["status"] = map[string]any{"status": status} }
}

func beingDeleted(c *unstructured.Unstructured) {
	now := metav1.NewTime(time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC))
	c.SetDeletionTimestamp(&now)
}

// at is the place of a Canary in the namespace payments.
func at(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "payments", Name: name}
}

// mustEqual compares deeply, unexported fields of this package's structs included.
func mustEqual[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(observed{}, settlement{}, demand{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
