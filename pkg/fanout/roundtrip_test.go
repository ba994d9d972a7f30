package fanout

import (
	"maps"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// managedBy has managedFields say that a manager has those fields of the spec.
func managedBy(manager string, operation metav1.ManagedFieldsOperationType, names ...string) edit {
	return func(c *unstructured.Unstructured) {
		spec := fields{}
		for _, name := range names {
			spec["f:"+name] = fields{}
		}
		withManager(fields{
			"manager": manager, "operation": string(operation), "fieldsType": "FieldsV1", "fieldsV1": fields{"f:spec": spec},
		})(c)
	}
}

func withManager(entry fields) edit {
	return func(c *unstructured.Unstructured) {
		metadata := c.Object["metadata"].(fields)
		entries, _ := metadata["managedFields"].(list)
		metadata["managedFields"] = append(slices.Clone(entries), entry)
	}
}

// asStored is what an API server makes of what fanout applied.
func asStored(derived *unstructured.Unstructured, edits ...edit) *unstructured.Unstructured {
	stored := derived.DeepCopy()
	spec := stored.Object["spec"].(fields)
	managedBy(FieldManager, metav1.ManagedFieldsOperationApply, slices.Sorted(maps.Keys(spec))...)(stored)
	for _, edit := range edits {
		edit(stored)
	}
	return stored
}

// writtenBy sets a field of the spec as an update by that manager does: it takes the field from all others.
func writtenBy(manager, field string, value any) edit {
	return func(c *unstructured.Unstructured) {
		for _, m := range managersOf(c) {
			delete(m.fields, "f:"+field)
		}
		managedBy(manager, metav1.ManagedFieldsOperationUpdate, field)(c)
		if value == nil {
			withoutSpec(field)(c)
			return
		}
		withSpec(field, value)(c)
	}
}

func anHTTPCheck(more fields) fields {
	check := fields{"name": "api", "url": "https://api.example.com/healthz", "thresholdMillis": int64(500)}
	maps.Copy(check, more)
	return check
}

// empties are what canary-checker's round trip adds to an http check.
var empties = fields{"display": fields{}, "test": fields{}, "transform": fields{}, "username": fields{}, "password": fields{}}

// What stands in a member is compared with what was asked for by what was written, and by who wrote it.
func TestDriftAndRoundTrips(t *testing.T) {
	selecting := anHTTPCheck(fields{"labelSelector": fields{}})
	for _, row := range []struct {
		name   string
		parent []edit
		member edit
		// same means that nothing is even looked at, held that a look finds all as it should be.
		same, held bool
	}{
		{"as applied", nil, nil, true, true},
		{"canary-checker's round trip", nil, writtenBy(checker, "http", list{anHTTPCheck(empties)}), true, true},
		{"a round trip that writes nulls", nil, writtenBy(checker, "http", list{anHTTPCheck(fields{"jwt": nil, "body": fields{"from": nil}})}), true, true},
		{"a round trip, of a selector that is empty", []edit{withSpec("http", list{selecting})},
			writtenBy(checker, "http", list{anHTTPCheck(fields{"labelSelector": fields{}, "display": fields{}})}), true, true},
		{"a round trip that leaves out what is zero", []edit{withSpec("http", list{anHTTPCheck(fields{"responseContent": "", "ntlm": false, "headers": list{}})})},
			writtenBy(checker, "http", list{anHTTPCheck(empties)}), true, true},
		{"a person's zero", nil, writtenBy("kubectl-edit", "http", list{anHTTPCheck(fields{"ntlm": false})}), false, false},
		{"a round trip in an object", nil, func(c *unstructured.Unstructured) {
			withSpec("icon", fields{"name": "heart", "tags": fields{}, "display": fields{}})(c)
			withManager(fields{"manager": checker, "operation": "Update", "fieldsV1": fields{"f:spec": fields{"f:icon": fields{"f:display": fields{}}}}})(c)
		}, true, true},

		{"an edit in one write with a round trip", nil,
			writtenBy(checker, "http", list{anHTTPCheck(fields{"display": fields{}, "url": "http://elsewhere"})}), false, false},
		{"a field of a check taken away in one write with a round trip", nil,
			writtenBy(checker, "http", list{fields{"name": "api", "url": "https://api.example.com/healthz", "test": fields{}}}), false, false},
		{"a check added in one write with a round trip", nil,
			writtenBy(checker, "http", list{anHTTPCheck(empties), fields{"display": fields{}}}), false, false},

		{"a person's edit", nil, writtenBy("kubectl-edit", "http", list{anHTTPCheck(fields{"url": "http://elsewhere"})}), false, false},
		{"a person's empty object", nil, writtenBy("kubectl-edit", "http", list{anHTTPCheck(fields{"test": fields{}})}), false, false},
		{"a person's null", nil, writtenBy("kubectl-edit", "http", list{anHTTPCheck(fields{"test": nil})}), false, false},
		{"an empty object that a person took away", []edit{withSpec("http", list{selecting})},
			writtenBy("kubectl-edit", "http", list{anHTTPCheck(nil)}), false, false},
		{"an empty object that a person took away after a round trip", nil,
			writtenBy("kubectl-edit", "http", list{anHTTPCheck(fields{"display": fields{}})}), false, false},
		{"an edit and its undoing", nil, writtenBy("kubectl-edit", "http", list{anHTTPCheck(nil)}), false, true},
		{"what somebody added", nil, writtenBy("kubectl-edit", "severity", "low"), false, true},
		{"what somebody added, by the name of canary-checker", nil, writtenBy(checker, "severity", "low"), false, true},
		{"a list taken away", nil, writtenBy(checker, "http", nil), false, false},
		{"an apply by the name of canary-checker", nil, func(c *unstructured.Unstructured) {
			writtenBy("kubectl", "http", list{anHTTPCheck(fields{"test": fields{}})})(c)
			managedBy(checker, metav1.ManagedFieldsOperationApply, "http")(c)
		}, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := demandOf(aParent(row.parent...), thisHub, member1)
			live := asStored(want.canary)
			if row.member != nil {
				row.member(live)
			}
			if same := observe(live).content == want.content; same != row.same {
				t.Errorf("same content: %t", same)
			}
			if held := holds(live, want); held != row.held {
				t.Errorf("holds: %t", held)
			}
		})
	}
}

// canary-checker in the hub changes no hash, and members are sent what stands in the hub all the same.
func TestARoundTripInTheHub(t *testing.T) {
	before := demandOf(aParent(), thisHub, member1)
	for _, row := range []struct {
		name string
		edit edit
		same bool
	}{
		{"a round trip", writtenBy(checker, "http", list{anHTTPCheck(empties)}), true},
		{"a round trip that writes a null", writtenBy(checker, "http", list{anHTTPCheck(fields{"jwt": nil})}), true},
		{"a person's empty object", writtenBy("kubectl-edit", "http", list{anHTTPCheck(fields{"labelSelector": fields{}})}), false},
		{"a person's empty object after a round trip", writtenBy("kubectl-edit", "http", list{anHTTPCheck(empties)}), false},
		{"a person's edit with a round trip", writtenBy(checker, "http", list{anHTTPCheck(fields{"url": "http://elsewhere", "test": fields{}})}), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			parent := aParent(row.edit)
			after := demandOf(parent, thisHub, member1)
			if same := after.hash == before.hash; same != row.same {
				t.Errorf("the same hash: %t", same)
			}
			if same := parentOf(t, aParent()).sameAs(parentOf(t, aParent(row.edit))); same != row.same {
				t.Errorf("the same parent: %t", same)
			}
			mustEqual(t, "sent", after.canary.Object["spec"].(fields)["http"], parent.Object["spec"].(fields)["http"])
			if stored := asStored(after.canary); observe(stored).content != after.content || !holds(stored, after) {
				t.Error("a member that stores it does not hold it")
			}
			if stored := asStored(before.canary); row.same && (observe(stored).content != after.content || !holds(stored, after)) {
				t.Error("a member that stored it before does not hold it any more")
			}
		})
	}
}

func TestWithoutZero(t *testing.T) {
	for _, row := range []struct {
		name          string
		value, reduct any
	}{
		{"text", "x", "x"},
		{"zeros", fields{"a": int64(0), "b": false, "c": "", "d": list{}, "e": 0.0}, nil},
		{"no zeros", fields{"a": int64(1), "b": true, "c": " ", "d": list{""}, "e": 0.1}, fields{"a": int64(1), "b": true, "c": " ", "d": list{nil}, "e": 0.1}},
		{"nothing", nil, nil},
		{"an empty object", fields{}, nil},
		{"an object of nothing", fields{"a": nil, "b": fields{"c": fields{}}}, nil},
		{"nothing beside something", fields{"a": nil, "b": "x", "c": fields{"d": fields{}}}, fields{"b": "x"}},
		{"in lists", list{fields{"a": "x", "b": fields{}}, "y"}, list{fields{"a": "x"}, "y"}},
		{"elements stay", list{fields{}, nil, "x"}, list{nil, nil, "x"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := (&unstructured.Unstructured{Object: fields{"v": row.value}}).DeepCopy().Object["v"]
			got, _ := withoutZero(row.value)
			mustEqual(t, "reduced", got, row.reduct)
			mustEqual(t, "its argument afterwards", row.value, before)
			if again, _ := withoutZero(got); got != nil {
				mustEqual(t, "reduced again", again, row.reduct)
			}
		})
	}
}

func TestSharedFields(t *testing.T) {
	derived := Derive(aParent(), thisHub, member1)
	for _, row := range []struct {
		name   string
		edit   edit
		shared string
	}{
		{"as applied", func(*unstructured.Unstructured) {}, ""},
		{"after a round trip", writtenBy(checker, "http", list{anHTTPCheck(empties)}), "http"},
		{"after an edit and its undoing", writtenBy("kubectl-edit", "schedule", "@every 30s"), "schedule"},
		{"applied by another as well", managedBy("argocd", metav1.ManagedFieldsOperationApply, "http", "schedule"), "http,schedule"},
		{"what others added is theirs", writtenBy("kubectl-edit", "severity", "low"), ""},
		{"what others added beside a field is theirs", withManager(fields{"manager": "kubectl-edit", "operation": "Update",
			"fieldsV1": fields{"f:spec": fields{"f:icon": fields{"f:color": fields{}}}}}), ""},
		{"what a round trip added beside a field is not", withManager(fields{"manager": checker, "operation": "Update",
			"fieldsV1": fields{"f:spec": fields{"f:icon": fields{"f:display": fields{}}}}}), "icon"},
		{"a status is no field of the spec", withManager(fields{"manager": checker, "operation": "Update", "subresource": "status",
			"fieldsV1": fields{"f:status": fields{"f:http": fields{}}}}), ""},
		{"nobody's", func(c *unstructured.Unstructured) { c.SetManagedFields(nil) }, "http,icon,schedule"},
		{"from before fanout named them", func(c *unstructured.Unstructured) { removeAnnotation(c, AnnotationFields) }, ""},
	} {
		t.Run(row.name, func(t *testing.T) { mustEqual(t, "shared", observe(asStored(derived, row.edit)).shared, row.shared) })
	}
}

// What members say of who manages what is untrusted.
func TestOddManagedFieldsAreNobodys(t *testing.T) {
	derived := Derive(aParent(), thisHub, member1)
	for name, odd := range map[string]any{
		"text": "x", "a list of text": list{"x"}, "no tree": list{fields{"manager": FieldManager, "operation": "Apply", "fieldsV1": "x"}},
		"a tree without a spec":      list{fields{"manager": FieldManager, "operation": "Apply", "fieldsV1": fields{"f:spec": "x"}}},
		"a manager that is a number": list{fields{"manager": int64(1), "operation": fields{}, "fieldsV1": fields{"f:spec": fields{"f:http": "x"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			live := derived.DeepCopy()
			live.Object["metadata"].(fields)["managedFields"] = odd
			if observe(live).content == "" {
				t.Error("it is not observed")
			}
			if _, err := managedByFanout(live, []string{"http"}); err != nil {
				t.Log(err)
			}
		})
	}
}
