package derive

import (
	"maps"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// LabelMirror marks what shows in the hub how an agent's copy fares; its value is the hub's ID. A mirror is no copy, and so has no LabelHub.
const LabelMirror = prefix + "mirror"

// suspend is canary-checker's annotation by which it does not run a Canary.
const suspend = "suspend"

// MirrorPlace is where the mirror of parent's copy for agent stands in the hub; ok is false where the two names are too long for one.
func MirrorPlace(parent types.NamespacedName, agent string) (place types.NamespacedName, ok bool) {
	const longest = 253
	place = types.NamespacedName{Namespace: parent.Namespace, Name: parent.Name + "." + agent}
	return place, len(place.Name) <= longest
}

// Mirror is what stands there. It has no checks, and is paused in both ways that there are, so that there is nothing in it to run; how often
// the copy runs is for people to see. It goes with its parent.
func Mirror(parent *unstructured.Unstructured, agent, hubID string) *unstructured.Unstructured {
	place, _ := MirrorPlace(KeyOf(parent), agent)
	spec := map[string]any{"replicas": int64(0)}
	asked, _ := parent.Object["spec"].(map[string]any)
	for _, field := range []string{"schedule", "interval"} {
		if value := asked[field]; value != nil {
			spec[field] = value
		}
	}
	mirror := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	mirror.SetAPIVersion(Canaries.GroupVersion().String())
	mirror.SetKind(Kind)
	mirror.SetNamespace(place.Namespace)
	mirror.SetName(place.Name)
	labels := portable(parent.GetLabels())
	labels[LabelManagedBy], labels[LabelMirror] = FieldManager, hubID
	mirror.SetLabels(labels)
	mirror.SetAnnotations(map[string]string{
		suspend:          "true",
		AnnotationParent: parent.GetNamespace() + "/" + parent.GetName(), AnnotationParentUID: string(parent.GetUID()), AnnotationAgent: agent,
	})
	mirror.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: Canaries.GroupVersion().String(), Kind: Kind, Name: parent.GetName(), UID: parent.GetUID(),
	}})
	return mirror
}

// MirrorDiffers tells whether live, whose spec is that, lacks anything of want, or has in its spec what want has not: extra are those fields.
func MirrorDiffers(live metav1.Object, spec map[string]any, want *unstructured.Unstructured) (differs bool, extra []string) {
	asked, _ := want.Object["spec"].(map[string]any)
	for _, field := range slices.Sorted(maps.Keys(spec)) {
		if _, isAsked := asked[field]; !isAsked {
			extra = append(extra, field)
		}
	}
	for field, value := range asked {
		differs = differs || !reflect.DeepEqual(spec[field], value)
	}
	owned := slices.ContainsFunc(live.GetOwnerReferences(), func(o metav1.OwnerReference) bool { return o.UID == want.GetOwnerReferences()[0].UID })
	return differs || len(extra) > 0 || !owned || !hasAll(live.GetLabels(), want.GetLabels()) || !hasAll(live.GetAnnotations(), want.GetAnnotations()), extra
}

func hasAll(have, want map[string]string) bool {
	for key, value := range want {
		if got, ok := have[key]; !ok || got != value {
			return false
		}
	}
	return true
}
