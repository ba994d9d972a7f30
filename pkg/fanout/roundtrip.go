package fanout

import (
	"maps"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// checker is the field manager of canary-checker, which shares every Canary with fanout. Its first act on one is to read it
// and to write it back through its Go types, which adds empty objects to what was there: see docs/adr/0005.
const checker = "canary-checker"

// manager is somebody who manages fields of a spec, by metadata.managedFields.
type manager struct {
	name        string
	operation   metav1.ManagedFieldsOperationType
	subresource string
	// fields is the tree below f:spec. A field's name, with "f:" before it, leads to what is below it: nothing, where it is
	// managed as a whole, as every list in a Canary is.
	fields map[string]any
}

func (m manager) isFanout() bool {
	return m.name == FieldManager && m.operation == metav1.ManagedFieldsOperationApply && m.subresource == ""
}

func (m manager) isChecker() bool {
	return m.name == checker && m.operation == metav1.ManagedFieldsOperationUpdate
}

// isEither tells that m is no stranger: what it manages is as fanout wrote it, or as canary-checker wrote it back.
func (m manager) isEither() bool { return m.isFanout() || m.isChecker() }

// managersOf returns who manages fields of obj's spec. It copies none of them.
func managersOf(obj *unstructured.Unstructured) []manager {
	metadata, _ := obj.Object["metadata"].(map[string]any)
	entries, _ := metadata["managedFields"].([]any)
	var managers []manager
	for _, item := range entries {
		entry, _ := item.(map[string]any)
		if m := managerOf(entry); len(m.fields) > 0 {
			managers = append(managers, m)
		}
	}
	return managers
}

// managerOf reads one entry of managedFields.
func managerOf(entry map[string]any) manager {
	fields, _ := entry["fieldsV1"].(map[string]any)
	spec, _ := fields["f:spec"].(map[string]any)
	name, _ := entry["manager"].(string)
	operation, _ := entry["operation"].(string)
	subresource, _ := entry["subresource"].(string)
	return manager{name, metav1.ManagedFieldsOperationType(operation), subresource, spec}
}

// strangers returns the fields that somebody manages who is neither fanout nor canary-checker.
func strangers(managers []manager) []any {
	var fields []any
	for _, m := range managers {
		if !m.isEither() {
			fields = append(fields, m.fields)
		}
	}
	return fields
}

// withoutRoundTrip returns spec without zero values in the fields that canary-checker wrote last, and in no others: there its
// types made them of nothing, whereas in a field that a person wrote an empty object may mean something.
func withoutRoundTrip(spec any, managers []manager) any {
	return reduceManaged(spec, managers, manager.isChecker)
}

// reduceManaged takes zero values away from the fields of spec that such managers manage.
func reduceManaged(spec any, managers []manager, such func(manager) bool) any {
	for _, m := range managers {
		if such(m) {
			spec, _ = reduceFields(spec, m.fields)
		}
	}
	return spec
}

func reduceFields(value any, managed map[string]any) (any, bool) {
	return eachField(value, func(name string, field any) (any, bool) {
		switch below, ok := managed["f:"+name].(map[string]any); {
		case !ok:
			return field, false
		case len(below) == 0:
			return withoutZero(field)
		default:
			return reduceFields(field, below)
		}
	})
}

// reduceLists takes zero values away from the lists in value, and from nothing else.
func reduceLists(value any) (reduced any, changed bool) {
	if _, isList := value.([]any); isList {
		return withoutZero(value)
	}
	return eachField(value, func(_ string, field any) (any, bool) { return reduceLists(field) })
}

// withoutZero returns value without Go's zero values, nulls and empty objects among them, but with all elements of its lists: nil
// where that is all, and whether it took anything away. canary-checker's types write some that were not there, and leave out
// others that were: the two mean the same to it. What it leaves alone it shares with its argument, which it does not change.
func withoutZero(value any) (any, bool) {
	switch value := value.(type) {
	case map[string]any:
		reduced, changed := eachField(value, func(_ string, field any) (any, bool) { return withoutZero(field) })
		if len(reduced.(map[string]any)) == 0 {
			return nil, true
		}
		return reduced, changed
	case []any:
		if len(value) == 0 {
			return nil, true
		}
		return eachElement(value, withoutZero)
	case nil:
		return nil, true
	default: // a bool, a number or a text
		if reflect.ValueOf(value).IsZero() {
			return nil, true
		}
		return value, false
	}
}

// eachElement returns list with each of its elements as change returns it, and whether that made a difference.
func eachElement(list []any, change func(any) (any, bool)) (any, bool) {
	var result []any
	for i, element := range list {
		now, changed := change(element)
		if !changed {
			continue
		}
		if result == nil {
			result = slices.Clone(list)
		}
		result[i] = now
	}
	if result == nil {
		return list, false
	}
	return result, true
}

// eachField returns object with each of its fields as change returns it, without those of which nothing is left, and whether
// that made a difference. Anything but an object is left alone.
func eachField(object any, change func(name string, field any) (any, bool)) (any, bool) {
	fields, _ := object.(map[string]any)
	var result map[string]any
	for name, field := range fields {
		now, changed := change(name, field)
		if !changed {
			continue
		}
		if result == nil {
			result = maps.Clone(fields)
		}
		if result[name] = now; now == nil {
			delete(result, name)
		}
	}
	if result == nil {
		return object, false
	}
	return result, true
}
