// Package fanouttest has Canaries for the tests of pkg/fanout and of what is below it.
package fanouttest

import (
	"maps"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Hubs and members of the tests.
const (
	ThisHub  = "6f1ab6bc-hub"
	OtherHub = "0c5d9e44-hub"
	Member1  = "eu-west-prod"
	Member2  = "us-east-prod"
)

// JSON as it is decoded.
type (
	Fields = map[string]any
	List   = []any
)

// Edit changes a Canary of the tests.
type Edit = func(*unstructured.Unstructured)

// Parent is a Canary as the hub's API server returns it, with everything that one may carry.
func Parent(edits ...Edit) *unstructured.Unstructured {
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

// At is the place of a Canary in the Parent's namespace.
func At(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "payments", Name: name}
}

// WithLabel adds a label.
func WithLabel(key, value string) Edit {
	return func(c *unstructured.Unstructured) {
		labels := c.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[key] = value
		c.SetLabels(labels)
	}
}

// WithoutLabel removes one.
func WithoutLabel(key string) Edit {
	return func(c *unstructured.Unstructured) {
		labels := c.GetLabels()
		delete(labels, key)
		c.SetLabels(labels)
	}
}

// WithAnnotation adds an annotation.
func WithAnnotation(key, value string) Edit {
	return func(c *unstructured.Unstructured) {
		annotations := c.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[key] = value
		c.SetAnnotations(annotations)
	}
}

// WithoutAnnotation removes one.
func WithoutAnnotation(key string) Edit {
	return func(c *unstructured.Unstructured) {
		annotations := c.GetAnnotations()
		delete(annotations, key)
		c.SetAnnotations(annotations)
	}
}

// WithUID gives it that UID.
func WithUID(uid types.UID) Edit {
	return func(c *unstructured.Unstructured) { c.SetUID(uid) }
}

// WithGeneration gives it that generation.
func WithGeneration(generation int64) Edit {
	return func(c *unstructured.Unstructured) { c.SetGeneration(generation) }
}

// WithVersion gives it that resourceVersion.
func WithVersion(version int) Edit {
	return func(c *unstructured.Unstructured) { c.SetResourceVersion(strconv.Itoa(version)) }
}

// WithSelector sets its agentSelector.
func WithSelector(selector any) Edit { return WithSpec("agentSelector", selector) }

// WithSpec sets one field of the spec, without sharing what it replaces.
func WithSpec(field string, value any) Edit {
	return func(c *unstructured.Unstructured) {
		spec, _ := c.Object["spec"].(map[string]any)
		if spec = maps.Clone(spec); spec == nil {
			spec = map[string]any{}
		}
		spec[field] = value
		c.Object["spec"] = spec
	}
}

// WithoutSpec removes one.
func WithoutSpec(field string) Edit {
	return func(c *unstructured.Unstructured) {
		spec := maps.Clone(c.Object["spec"].(map[string]any))
		delete(spec, field)
		c.Object["spec"] = spec
	}
}

// WithStatus gives it that status.
func WithStatus(status string) Edit {
	return func(c *unstructured.Unstructured) { c.Object["status"] = map[string]any{"status": status} }
}

// BeingDeleted has it deleted, and held by a finalizer.
func BeingDeleted(c *unstructured.Unstructured) {
	now := metav1.NewTime(time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC))
	c.SetDeletionTimestamp(&now)
}
