package member

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/fanout/fanouttest"
)

func TestObserveKeepsNoSpec(t *testing.T) {
	derived := asStored(copyFor(aParent(), thisHub, member1))
	hash := derived.GetAnnotations()[derive.AnnotationHash]
	withUID("copy")(derived)
	withVersion(42)(derived)
	derived.SetCreationTimestamp(metav1.Unix(1_700_000_000, 0))

	mustEqual(t, "observed", observe(derived), &observed{
		uid: "copy", resourceVersion: "42", content: hash, hash: hash, generation: 3, created: 1_700_000_000,
	})
	beingDeleted(derived)
	withSpec("schedule", "@every 1h")(derived)
	edited := observe(derived)
	if !edited.terminating || edited.hash != hash || edited.content == hash || edited.content == "" {
		t.Errorf("once edited and deleted it is observed as %+v", edited)
	}
}

func TestObserveIgnoresWhatIsNotDerived(t *testing.T) {
	plain := observe(copyFor(aParent(), thisHub, member1)).content
	for name, edit := range map[string]edit{
		"status":            withStatus("Failed"),
		"resourceVersion":   withVersion(9),
		"parent generation": withAnnotation(derive.AnnotationParentGeneration, "4"),
		"finalizers":        func(c *unstructured.Unstructured) { c.SetFinalizers([]string{"canary.canaries.flanksource.com"}) },
	} {
		derived := copyFor(aParent(), thisHub, member1)
		edit(derived)
		mustEqual(t, name, observe(derived).content, plain)
	}
}

func TestObserveReadsTheGeneration(t *testing.T) {
	for text, want := range map[string]int64{
		"7": 7, "-1": -1, "": 0, "x": 0, "1.5": 0, "99999999999999999999": 0,
	} {
		c := aParent(withAnnotation(derive.AnnotationParentGeneration, text))
		mustEqual(t, "generation "+text, observe(c).generation, want)
	}
	mustEqual(t, "generation of a Canary without annotations", observe(&unstructured.Unstructured{Object: map[string]any{}}).generation, 0)
}

func TestVersionsAreNumbersOrUnknown(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "1": 1, "18446744073709551615": 18446744073709551615,
		"": 0, "abc": 0, "-1": 0, "1.0": 0, "18446744073709551616": 0,
	} {
		mustEqual(t, "version "+text, parseVersion(text), want)
	}
}

func TestIncludes(t *testing.T) {
	for _, row := range []struct {
		name       string
		live, want any
		included   bool
	}{
		{"nothing in nothing", nil, nil, true},
		{"the same", fields{"a": "x"}, fields{"a": "x"}, true},
		{"others may add fields", fields{"a": "x", "b": "y"}, fields{"a": "x"}, true},
		{"others may add fields deep inside", fields{"a": fields{"b": "x", "c": "y"}}, fields{"a": fields{"b": "x"}}, true},
		{"a field is missing", fields{}, fields{"a": "x"}, false},
		{"a field is missing deep inside", fields{"a": fields{}}, fields{"a": fields{"b": "x"}}, false},
		{"a field differs", fields{"a": "y"}, fields{"a": "x"}, false},
		{"a field has become null", fields{"a": nil}, fields{"a": "x"}, false},
		{"a whole object is missing", fields{}, fields{"a": fields{"b": "x"}}, false},
		{"an object has become text", fields{"a": "text"}, fields{"a": fields{"b": "x"}}, false},
		{"a text has become an object", fields{"a": fields{}}, fields{"a": "x"}, false},

		{"a server drops a null", fields{}, fields{"a": nil}, true},
		{"a null has got a value", fields{"a": "x"}, fields{"a": nil}, false},
		{"an empty object is missing", fields{}, fields{"a": fields{}}, false},
		{"an empty object has become null", fields{"a": nil}, fields{"a": fields{}}, false},
		{"an empty object has got fields", fields{"a": fields{"b": "x"}}, fields{"a": fields{}}, true},

		{"the same list", fields{"a": list{"x", "y"}}, fields{"a": list{"x", "y"}}, true},
		{"a list in another order", fields{"a": list{"y", "x"}}, fields{"a": list{"x", "y"}}, false},
		{"a longer list", fields{"a": list{"x", "y"}}, fields{"a": list{"x"}}, false},
		{"a shorter list", fields{"a": list{}}, fields{"a": list{"x"}}, false},
		{"an item has got a field", fields{"a": list{fields{"b": "x", "c": "y"}}}, fields{"a": list{fields{"b": "x"}}}, false},
		{"a list is missing", fields{}, fields{"a": list{"x"}}, false},
		{"an empty list is missing", fields{}, fields{"a": list{}}, false},

		{"one number in two forms", fields{"a": int64(1)}, fields{"a": 1.0}, true},
		{"one number in two forms in a list", fields{"a": list{1.0}}, fields{"a": list{int64(1)}}, true},
		{"another number", fields{"a": 1.5}, fields{"a": int64(1)}, false},
		{"a number that has become text", fields{"a": "1"}, fields{"a": int64(1)}, false},
		{"true and false", fields{"a": true}, fields{"a": false}, false},
		{"false is not nothing", fields{}, fields{"a": false}, false},
		{"zero is not nothing", fields{}, fields{"a": int64(0)}, false},
		{"empty text is not nothing", fields{}, fields{"a": ""}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := includes(row.live, row.want); got != row.included {
				t.Errorf("includes: %t", got)
			}
		})
	}
}

// Only null, or nothing, may stand for an empty object.
func TestAnEmptyObjectIsNotHeldByAnotherValue(t *testing.T) {
	for name, live := range map[string]any{"text": "x", "number": int64(1), "bool": false, "list": []any{"x"}} {
		if includes(map[string]any{"a": live}, map[string]any{"a": map[string]any{}}) {
			t.Errorf("a %s counts as an empty object", name)
		}
	}
}

func TestHolds(t *testing.T) {
	for _, row := range []struct {
		name string
		edit edit
		held bool
	}{
		{"as derived", func(*unstructured.Unstructured) {}, true},
		{"with a status", withStatus("Passed"), true},
		{"with a finalizer", func(c *unstructured.Unstructured) { c.SetFinalizers([]string{"x"}) }, true},
		{"with somebody's label", withLabel("x", "y"), true},
		{"with somebody's annotation", withAnnotation("x", "y"), true},
		{"with a default in the spec", withSpec("interval", int64(30)), true},
		{"derived from another generation", withAnnotation(derive.AnnotationParentGeneration, "9"), true},
		{"without the generation", func(c *unstructured.Unstructured) { withoutAnnotation(derive.AnnotationParentGeneration)(c) }, true},
		{"with another label", withLabel("team", "orders"), false},
		{"without a label", withoutLabel("team"), false},
		{"with another hub's ID", withLabel(derive.LabelHub, otherHub), false},
		{"with another annotation", withAnnotation("docs", ""), false},
		{"without an annotation", func(c *unstructured.Unstructured) { withoutAnnotation("docs")(c) }, false},
		{"with another hash", withAnnotation(derive.AnnotationHash, "x"), false},
		{"with another spec", withSpec("schedule", "@every 1h"), false},
		{"without a field of the spec", withoutSpec("schedule"), false},
		{"with an empty object less", withSpec("icon", fields{"name": "heart"}), false},
		{"without a spec", func(c *unstructured.Unstructured) { delete(c.Object, "spec") }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := demandOf(aParent(), thisHub, member1)
			live := want.Canary().DeepCopy()
			row.edit(live)
			if got := holds(live, want); got != row.held {
				t.Errorf("holds: %t", got)
			}
		})
	}
}

// A copy in the hub that lost its ownerReference is put right like any other edit.
func TestACopyInTheHubHoldsItsOwner(t *testing.T) {
	want := demandOf(aParent(), thisHub, derive.LocalAgent)
	live := want.Canary().DeepCopy()
	live.SetOwnerReferences(nil)
	if holds(live, want) {
		t.Error("without its ownerReference it counts as held")
	}
	if observe(live).content == want.Content {
		t.Error("without its ownerReference its content counts as the same")
	}
}

// What a member stores exactly as it was sent is seen to be what was asked for, even after a journey as JSON.
func TestWhatIsStoredAsSentIsHeld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		agent := rapid.SampledFrom([]string{member1, member2, derive.LocalAgent}).Draw(t, "agent")
		asked := demandOf(fanouttest.DrawParent(t), thisHub, agent)
		stored := fanouttest.OverTheWire(t, asked.Canary())
		if seen := observe(stored); seen.content != asked.Content || seen.hash != asked.Hash {
			t.Fatalf("what was asked for is observed as %+v, not as %+v", seen, asked)
		}
		if !holds(stored, asked) {
			t.Fatalf("a member that stores it does not hold it:\n%s", cmp.Diff(asked.Canary().Object, stored.Object))
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	derived := copyFor(aParent(), thisHub, member1)
	b.ReportAllocs()
	for b.Loop() {
		observe(derived)
	}
}

func TestWhatAMemberDidNotKeep(t *testing.T) {
	want := demandOf(aParent(), thisHub, member1).Copy
	sent := want.Canary()
	list := func(items ...any) []any { return items }
	for _, row := range []struct {
		name   string
		edit   edit
		fields []string
	}{
		{"all kept", func(*unstructured.Unstructured) {}, nil},
		{"a field added", withSpec("severity", "low"), nil},
		{"a label added", withLabel("seen", "yes"), nil},
		{"a default in a list's element", withSpec("http", list(map[string]any{
			"name": "api", "url": "https://api.example.com/healthz", "thresholdMillis": int64(500), "method": "GET",
		})), nil},
		{"an empty object dropped", withSpec("icon", map[string]any{"name": "heart"}), nil},
		{"a field changed", withSpec("schedule", "@every 1h"), []string{"spec.schedule"}},
		{"a field dropped", withoutSpec("schedule"), []string{"spec.schedule"}},
		{"an element emptied", withSpec("http", list(map[string]any{})), []string{"spec.http"}},
		{"an element added", withSpec("http", append(list(), sent.Object["spec"].(map[string]any)["http"].([]any)[0], "more")), []string{"spec.http"}},
		{"a list dropped", withoutSpec("http"), []string{"spec.http"}},
		{"an object turned into text", withSpec("icon", "heart"), []string{"spec.icon"}},
		{"a label changed", withLabel("team", "nobody"), []string{"metadata"}},
		{"an annotation changed", withAnnotation("docs", "nowhere"), []string{"metadata"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			kept := sent.DeepCopy()
			row.edit(kept)
			mustEqual(t, "altered", altered(kept, want), row.fields)
		})
	}
}
