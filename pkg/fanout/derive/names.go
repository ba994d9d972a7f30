package derive

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Canaries is the resource that fanout reads in the hub and writes in the members. It is known, so nothing
// is ever discovered.
var Canaries = schema.GroupVersionResource{Group: "canaries.flanksource.com", Version: "v1", Resource: "canaries"}

// Kind is the kind of Canaries.
const Kind = "Canary"

// FieldManager is the name under which fanout owns fields in the members.
const FieldManager = "fanout"

// LocalAgent is the reserved agent that means the hub itself.
const LocalAgent = "local"

// localSuffix tells a derived Canary in the hub from its parent, beside which it stands.
const localSuffix = "-local"

// NoVersion is a resourceVersion that no object ever has, the largest number there is. Server-side apply with it creates, and answers 409
// where something stands already, whoever put it there and however short ago: see docs/adr/0002.
const NoVersion = "9223372036854775807"

// Labels and annotations of a derived Canary.
const (
	prefix = "fanout.flanksource.com/"

	// LabelManagedBy is the well-known label; its value on a derived Canary is FieldManager.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// LabelHub holds the ID of the hub that owns the object. Without it, or with another hub's ID, the object
	// is not fanout's and is never written or deleted.
	LabelHub = prefix + "hub"

	// AnnotationParent is the parent's namespace/name.
	AnnotationParent = prefix + "parent"
	// AnnotationParentUID is the parent's UID.
	AnnotationParentUID = prefix + "parent-uid"
	// AnnotationParentGeneration is the generation of the parent from which the content was derived. It stays
	// where it is when a later generation derives the same content, as when only the selector changed.
	AnnotationParentGeneration = prefix + "parent-generation"
	// AnnotationAgent is the agent that the copy was derived for.
	AnnotationAgent = prefix + "agent"
	// AnnotationHash is the hash of what was derived.
	AnnotationHash = prefix + "hash"
	// AnnotationFields names the fields of the spec that fanout set, with commas between them: what an edit of the parent
	// takes away has to go from the copy, whoever wrote to it last.
	AnnotationFields = prefix + "fields"
	// AnnotationAdopt, set to "true" by a user on an object in a member, hands that object over to fanout.
	AnnotationAdopt = prefix + "adopt"
)

// CleanupHint tells a user how to do by hand what Drain could not.
func CleanupHint(hubID string) string {
	return "Derived Canaries may be left there; remove them with: kubectl delete canaries -A -l " + LabelHub + "=" + hubID
}

// Place is where the derived Canary of parent stands in agent's cluster: in the same place, except in
// the hub, where the parent has that place already.
func Place(parent types.NamespacedName, agent string) types.NamespacedName {
	if agent == LocalAgent {
		parent.Name += localSuffix
	}
	return parent
}

// ParentOf is the inverse of Place. It goes by the place alone, because anybody who may edit a derived
// Canary may edit its annotations; ok is false for a place where no derived Canary can stand.
func ParentOf(derived types.NamespacedName, agent string) (key types.NamespacedName, ok bool) {
	if agent != LocalAgent {
		return derived, true
	}
	name, ok := strings.CutSuffix(derived.Name, localSuffix)
	return types.NamespacedName{Namespace: derived.Namespace, Name: name}, ok && name != ""
}

// KeyOf is where an object stands.
func KeyOf(obj *unstructured.Unstructured) types.NamespacedName {
	return types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}
}
