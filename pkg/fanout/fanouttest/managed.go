package fanouttest

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ManagedBy has managedFields say that a manager has those fields of the spec.
func ManagedBy(manager string, operation metav1.ManagedFieldsOperationType, names ...string) Edit {
	return func(c *unstructured.Unstructured) {
		spec := Fields{}
		for _, name := range names {
			spec["f:"+name] = Fields{}
		}
		WithManager(Fields{
			"manager": manager, "operation": string(operation), "fieldsType": "FieldsV1", "fieldsV1": Fields{"f:spec": spec},
		})(c)
	}
}

// WithManager adds an entry to managedFields.
func WithManager(entry Fields) Edit {
	return func(c *unstructured.Unstructured) {
		metadata := c.Object["metadata"].(Fields)
		entries, _ := metadata["managedFields"].(List)
		metadata["managedFields"] = append(slices.Clone(entries), entry)
	}
}

// AsStored is what an API server makes of what fanout applied.
func AsStored(derived *unstructured.Unstructured, edits ...Edit) *unstructured.Unstructured {
	stored := derived.DeepCopy()
	spec := stored.Object["spec"].(Fields)
	ManagedBy("fanout", metav1.ManagedFieldsOperationApply, slices.Sorted(maps.Keys(spec))...)(stored)
	for _, edit := range edits {
		edit(stored)
	}
	return stored
}

// WrittenBy sets a field of the spec as an update by that manager does: it takes the field from all others.
func WrittenBy(manager, field string, value any) Edit {
	return func(c *unstructured.Unstructured) {
		entries, _ := c.Object["metadata"].(Fields)["managedFields"].(List)
		for _, entry := range entries {
			if managed, found, _ := unstructured.NestedFieldNoCopy(entry.(Fields), "fieldsV1", "f:spec"); found {
				delete(managed.(Fields), "f:"+field)
			}
		}
		ManagedBy(manager, metav1.ManagedFieldsOperationUpdate, field)(c)
		if value == nil {
			WithoutSpec(field)(c)
			return
		}
		WithSpec(field, value)(c)
	}
}

// HTTPCheck is the Parent's, with more fields.
func HTTPCheck(more Fields) Fields {
	check := Fields{"name": "api", "url": "https://api.example.com/healthz", "thresholdMillis": int64(500)}
	maps.Copy(check, more)
	return check
}

// Empties are what canary-checker's round trip adds to an http check.
var Empties = Fields{"display": Fields{}, "test": Fields{}, "transform": Fields{}, "username": Fields{}, "password": Fields{}}
