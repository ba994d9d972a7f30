package member

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/fanout/derive"
)

// observed is what fanout remembers of one derived Canary in a member: enough to see that it changed and to
// write or delete exactly this version of it, and no spec.
type observed struct {
	uid             types.UID
	resourceVersion string
	// content identifies what the object holds now: see contentOf.
	content string
	// hash is its AnnotationHash: what fanout says it derived.
	hash string
	// shared are the fields that fanout set and others wrote to after it: see sharedFields.
	shared string
	// generation is its AnnotationParentGeneration, 0 where that is missing or no number.
	generation int64
	// created is when the object was, by the member's clock, in seconds since 1970.
	created int64
	// print is the glance's, 0 where the object came otherwise.
	print uint64
	// terminating is set while a finalizer holds a deleted object.
	terminating bool
}

// observe trims obj to what is remembered of it.
func observe(obj *unstructured.Unstructured) *observed {
	annotations := obj.GetAnnotations()
	generation, err := strconv.ParseInt(annotations[derive.AnnotationParentGeneration], 10, 64)
	if err != nil {
		generation = 0
	}
	managers := derive.ManagersOf(obj)
	content, hash := contentOf(obj, annotations, managers), annotations[derive.AnnotationHash]
	if content == hash {
		content = hash // one text in memory
	}
	return &observed{
		uid:             obj.GetUID(),
		resourceVersion: obj.GetResourceVersion(),
		content:         content,
		hash:            hash,
		shared:          sharedFields(annotations[derive.AnnotationFields], managers),
		generation:      generation,
		created:         obj.GetCreationTimestamp().Unix(),
		terminating:     obj.GetDeletionTimestamp() != nil,
	}
}

// version is the resourceVersion as a number, 0 where it is none.
func (o *observed) version() uint64 { return parseVersion(o.resourceVersion) }

func parseVersion(resourceVersion string) uint64 {
	version, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return 0
	}
	return version
}

// contentOf identifies what obj holds, so far as it can be drift: labels, annotations, owner, spec, and which fields of the spec
// anybody but fanout and canary-checker wrote to. What the latter's round trip adds is no part of it: zero values in
// lists don't count, nor do others that it wrote. An empty object that a person gave a list or took from it still shows, by
// the list then being that person's.
func contentOf(obj *unstructured.Unstructured, annotations map[string]string, managers []derive.Manager) string {
	spec, _ := derive.ReduceLists(derive.WithoutRoundTrip(obj.Object["spec"], managers))
	return derive.Hash(obj.GetLabels(), annotations, derive.Owner(obj), spec, strangers(managers)...)
}

// strangers returns the fields that somebody manages who is neither fanout nor canary-checker.
func strangers(managers []derive.Manager) []any {
	var fields []any
	for _, m := range managers {
		if !m.IsEither() {
			fields = append(fields, m.Fields)
		}
	}
	return fields
}

// holds tells whether live has every field that want asks for, with the value that it should have. What others
// added beside is theirs and does not count, nor does what canary-checker's round trip made of a field.
func holds(live *unstructured.Unstructured, want Demand) bool {
	comparable := func(spec map[string]any) any {
		return derive.ReduceManaged(spec, derive.ManagersOf(live), derive.Manager.IsEither)
	}
	spec, _ := live.Object["spec"].(map[string]any)
	return includes(comparable(spec), comparable(want.Plain())) &&
		(want.OwnerUID() == "" || derive.Owner(live) == want.OwnerUID()) &&
		includesStrings(live.GetLabels(), want.Labels(), "") &&
		includesStrings(live.GetAnnotations(), want.Annotations(), derive.AnnotationParentGeneration)
}

// altered returns what of want the member did not keep: the fields of the spec, or that it is in the metadata. What it added is
// none of it, in lists neither: a schema may have defaults for their elements.
func altered(kept *unstructured.Unstructured, want derive.Copy) []string {
	spec, _ := kept.Object["spec"].(map[string]any)
	wanted := want.Spec()
	var fields []string
	for _, field := range slices.Sorted(maps.Keys(wanted)) {
		if !keeps(spec[field], wanted[field]) {
			fields = append(fields, "spec."+field)
		}
	}
	if !includesStrings(kept.GetLabels(), want.Labels(), "") || !includesStrings(kept.GetAnnotations(), want.Annotations(), "") {
		fields = append(fields, "metadata")
	}
	return fields
}

// keeps is includes with the elements of lists compared as maps are.
func keeps(kept, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		fields, ok := kept.(map[string]any)
		for key, value := range want {
			if !keeps(fields[key], value) {
				return false
			}
		}
		return ok || kept == nil
	case []any:
		elements, ok := kept.([]any)
		if len(elements) != len(want) {
			return false
		}
		for i, value := range want {
			if !keeps(elements[i], value) {
				return false
			}
		}
		return ok || kept == nil
	default:
		return sameJSON(kept, want)
	}
}

func includes(live, want any) bool {
	wanted, ok := want.(map[string]any)
	if !ok {
		return sameJSON(live, want)
	}
	fields, ok := live.(map[string]any)
	for key, value := range wanted {
		if !includes(fields[key], value) {
			return false
		}
	}
	return ok
}

// sameJSON compares as JSON does: 1 and 1.0 are one number. Lists compare as a whole, as they are owned: the
// Canary CRD declares none as a map or a set.
func sameJSON(live, want any) bool {
	a, errA := json.Marshal(live)
	b, errB := json.Marshal(want)
	return errA == nil && errB == nil && string(a) == string(b)
}

func includesStrings(live, want map[string]string, except string) bool {
	for key, value := range want {
		if got, ok := live[key]; key != except && (!ok || got != value) {
			return false
		}
	}
	return true
}
