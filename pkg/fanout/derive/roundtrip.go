package derive

import (
	"maps"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Checker is the field manager of canary-checker, which shares every Canary with fanout. Its first act on one is to read it
// and to write it back through its Go types, which adds empty objects to what was there: see docs/adr/0005.
const Checker = "canary-checker"

// Manager is somebody who manages fields of a spec, by metadata.managedFields.
type Manager struct {
	// Name, Operation and Subresource identify the manager, as managedFields has them.
	Name        string
	Operation   metav1.ManagedFieldsOperationType
	Subresource string
	// Fields is the tree below f:spec. A field's name, with "f:" before it, leads to what is below it: nothing, where it is
	// managed as a whole, as every list in a Canary is.
	Fields map[string]any
}

// IsFanout tells that m manages what fanout applied.
func (m Manager) IsFanout() bool {
	return m.Name == FieldManager && m.Operation == metav1.ManagedFieldsOperationApply && m.Subresource == ""
}

// IsChecker tells that m manages what canary-checker wrote through its Go types.
func (m Manager) IsChecker() bool {
	return m.Name == Checker && m.Operation == metav1.ManagedFieldsOperationUpdate
}

// IsEither tells that m is no stranger: what it manages is as fanout wrote it, or as canary-checker wrote it back.
func (m Manager) IsEither() bool { return m.IsFanout() || m.IsChecker() }

// ManagersOf returns who manages fields of obj's spec. It copies none of them.
func ManagersOf(obj *unstructured.Unstructured) []Manager {
	metadata, _ := obj.Object["metadata"].(map[string]any)
	entries, _ := metadata["managedFields"].([]any)
	var managers []Manager
	for _, item := range entries {
		entry, _ := item.(map[string]any)
		if m := ManagerOf(entry); len(m.Fields) > 0 {
			managers = append(managers, m)
		}
	}
	return managers
}

// ManagesStatus tells whether fanout has applied anything of obj's status.
func ManagesStatus(obj *unstructured.Unstructured) bool {
	metadata, _ := obj.Object["metadata"].(map[string]any)
	entries, _ := metadata["managedFields"].([]any)
	return slices.ContainsFunc(entries, func(item any) bool {
		entry, _ := item.(map[string]any)
		return entry["manager"] == FieldManager && entry["operation"] == string(metav1.ManagedFieldsOperationApply) && entry["subresource"] == "status"
	})
}

// ManagerOf reads one entry of managedFields.
func ManagerOf(entry map[string]any) Manager {
	fields, _ := entry["fieldsV1"].(map[string]any)
	spec, _ := fields["f:spec"].(map[string]any)
	name, _ := entry["manager"].(string)
	operation, _ := entry["operation"].(string)
	subresource, _ := entry["subresource"].(string)
	return Manager{name, metav1.ManagedFieldsOperationType(operation), subresource, spec}
}

// WithoutRoundTrip returns spec without zero values in the fields that canary-checker wrote last, and in no others: there its
// types made them of nothing, whereas in a field that a person wrote an empty object may mean something.
func WithoutRoundTrip(spec any, managers []Manager) any {
	return ReduceManaged(spec, managers, Manager.IsChecker)
}

// ReduceManaged takes zero values away from the fields of spec that such managers manage.
func ReduceManaged(spec any, managers []Manager, such func(Manager) bool) any {
	for _, m := range managers {
		if such(m) {
			spec, _ = reduceFields(spec, m.Fields)
		}
	}
	return spec
}

// WithoutZero takes zero values away from all of spec.
func WithoutZero(spec any) any {
	reduced, _ := withoutZero(spec)
	return reduced
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

// ReduceLists takes zero values away from the lists in value, and from nothing else; changed tells whether there were any.
func ReduceLists(value any) (reduced any, changed bool) {
	if _, isList := value.([]any); isList {
		return withoutZero(value)
	}
	return eachField(value, func(_ string, field any) (any, bool) { return ReduceLists(field) })
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
