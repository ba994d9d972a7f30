package member

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/fanout/derive"
)

// sighting is a Canary as the watch brought it: its place, and what is remembered of it.
type sighting struct {
	key     types.NamespacedName
	version string
	// observed is nil in a bookmark, and where the object went.
	observed *observed
	// isLast is set in the bookmark that ends the list with which a watch begins.
	isLast bool

	metav1.Object // nil: for what a reflector does not ask
}

var _ runtime.Object = (*sighting)(nil)

// GetObjectKind implements runtime.Object.
func (s *sighting) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject implements runtime.Object. Nobody changes a sighting.
func (s *sighting) DeepCopyObject() runtime.Object { return s }

// GetNamespace implements metav1.Object.
func (s *sighting) GetNamespace() string { return s.key.Namespace }

// GetName implements metav1.Object.
func (s *sighting) GetName() string { return s.key.Name }

// GetResourceVersion implements metav1.Object.
func (s *sighting) GetResourceVersion() string { return s.version }

// GetAnnotations implements metav1.Object, as far as a reflector goes by them.
func (s *sighting) GetAnnotations() map[string]string {
	if !s.isLast {
		return nil
	}
	return map[string]string{metav1.InitialEventsAnnotationKey: "true"}
}

// sightingOf is of an object that came decoded.
func sightingOf(obj any) (*sighting, error) {
	switch obj := obj.(type) {
	case *sighting:
		return obj, nil
	case *unstructured.Unstructured:
		return &sighting{key: derive.KeyOf(obj), version: obj.GetResourceVersion(), observed: observe(obj)}, nil
	default:
		return nil, fmt.Errorf("watch of derived Canaries brought a %T", obj)
	}
}
