package member

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/fanout/derive"
)

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
			live := asStored(want.Canary())
			if row.member != nil {
				row.member(live)
			}
			if same := observe(live).content == want.Content; same != row.same {
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
			if same := after.Hash == before.Hash; same != row.same {
				t.Errorf("the same hash: %t", same)
			}
			mustEqual(t, "sent", after.Canary().Object["spec"].(fields)["http"], parent.Object["spec"].(fields)["http"])
			if stored := asStored(after.Canary()); observe(stored).content != after.Content || !holds(stored, after) {
				t.Error("a member that stores it does not hold it")
			}
			if stored := asStored(before.Canary()); row.same && (observe(stored).content != after.Content || !holds(stored, after)) {
				t.Error("a member that stored it before does not hold it any more")
			}
		})
	}
}

func TestSharedFields(t *testing.T) {
	derived := copyFor(aParent(), thisHub, member1)
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
		{"from before fanout named them", func(c *unstructured.Unstructured) { withoutAnnotation(derive.AnnotationFields)(c) }, ""},
	} {
		t.Run(row.name, func(t *testing.T) { mustEqual(t, "shared", observe(asStored(derived, row.edit)).shared, row.shared) })
	}
}

// What members say of who manages what is untrusted.
func TestOddManagedFieldsAreNobodys(t *testing.T) {
	derived := copyFor(aParent(), thisHub, member1)
	for name, odd := range map[string]any{
		"text": "x", "a list of text": list{"x"}, "no tree": list{fields{"manager": derive.FieldManager, "operation": "Apply", "fieldsV1": "x"}},
		"a tree without a spec":      list{fields{"manager": derive.FieldManager, "operation": "Apply", "fieldsV1": fields{"f:spec": "x"}}},
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
