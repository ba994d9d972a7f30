package fanout

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/fanout/fanouttest"
	"fanout/pkg/fanout/member"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// parentOf is what the informer keeps of a Canary of the hub.
func parentOf(t testing.TB, canary *unstructured.Unstructured) *parent {
	t.Helper()
	kept, err := newParent(thisHub, func() time.Time { return noon }, noon)(canary)
	if err != nil {
		t.Fatal(err)
	}
	return kept.(*parent)
}

func TestParents(t *testing.T) {
	for _, row := range []struct {
		name    string
		edit    edit
		isOne   bool
		invalid string
		matches bool
	}{
		{"a selector", withSelector([]any{"*-prod"}), true, "", true},
		{"a selector of other agents", withSelector([]any{"*-dev"}), true, "", false},
		{"exclusions only", withSelector([]any{"!us-*"}), true, "", true},
		{"carrying another hub's ID", withLabel(derive.LabelHub, otherHub), true, "", true},

		{"no selector", withoutSpec("agentSelector"), false, "", false},
		{"a null selector", withSelector(nil), false, "", false},
		{"an empty selector", withSelector([]any{}), false, "", false},
		{"no spec", func(c *unstructured.Unstructured) { delete(c.Object, "spec") }, false, "", false},
		{"derived into this hub", withLabel(derive.LabelHub, thisHub), false, "", false},
		{"being deleted", beingDeleted, false, "", false},
		{"being deleted with an invalid selector", func(c *unstructured.Unstructured) { beingDeleted(c); withSelector("x")(c) }, false, "", false},

		{"a pattern that does not parse", withSelector([]any{"*-prod", "eu-["}), true, `agentSelector[1] "eu-[": position 3`, false},
		{"a selector that is text", withSelector("*"), false, "spec.agentSelector: not a list of patterns", false},
		{"a selector that is an object", withSelector(map[string]any{"a": "b"}), false, "spec.agentSelector: not a list of patterns", false},
		{"a pattern that is a number", withSelector([]any{"*", int64(1)}), false, "spec.agentSelector[1]: not a string", false},
		{"a pattern that is null", withSelector([]any{nil}), false, "spec.agentSelector[0]: not a string", false},
		{"a spec that is text", func(c *unstructured.Unstructured) { c.Object["spec"] = "text" }, false, "spec", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := parentOf(t, aParent(row.edit))
			if got := p.canary != nil; got != row.isOne {
				t.Errorf("there is something to derive from: %t", got)
			}
			if row.invalid == "" && p.invalid != nil || row.invalid != "" && (p.invalid == nil || !strings.Contains(p.invalid.Error(), row.invalid)) {
				t.Errorf("invalid: %v", p.invalid)
			}
			if got := p.matches(member1, nil); got != row.matches {
				t.Errorf("matches %s: %t", member1, got)
			}
			if p.matches(derive.LocalAgent, nil) {
				t.Error("matches local, which none of them names")
			}
			if _, keeps := p.Object.(*unstructured.Unstructured).Object["spec"]; keeps && !row.isOne {
				t.Error("keeps a spec from which nothing is derived")
			}
			if p.key() != at("api-health") || !p.seen.Equal(noon) {
				t.Errorf("it is %v, seen %v", p.key(), p.seen)
			}
		})
	}
}

func TestAParentIsTrimmed(t *testing.T) {
	canary := parentOf(t, aParent()).canary
	if canary.GetManagedFields() != nil || canary.Object["status"] != nil {
		t.Errorf("kept %v and %v", canary.GetManagedFields(), canary.Object["status"])
	}
	mustEqual(t, "what is derived from it", parentOf(t, canary).demand(member1, nil).Canary().Object, parentOf(t, aParent()).demand(member1, nil).Canary().Object)
}

func TestTheTransformLeavesWhatItMadeAlone(t *testing.T) {
	transform := newParent(thisHub, time.Now, time.Time{})
	for name, obj := range map[string]any{"a parent": parentOf(t, aParent()), "nothing": nil, "text": "text"} {
		if again, err := transform(obj); err != nil || again != obj {
			t.Errorf("it made %v of %s: %v", again, name, err)
		}
	}
}

func TestNothingIsDerivedFromNothing(t *testing.T) {
	var none *parent
	for name, row := range map[string]struct {
		parent *parent
		state  member.Parent
	}{
		"none":                      {none, member.NoParent},
		"one that is being deleted": {parentOf(t, aParent(beingDeleted)), member.LeavingParent},
		"one that selects others":   {parentOf(t, aParent(withSelector([]any{"*-dev"}))), member.SomeParent},
		"one that selects nobody":   {parentOf(t, aParent(withoutSpec("agentSelector"))), member.SomeParent},
	} {
		if asked := row.parent.demand(member1, nil); asked.Hash != "" || asked.Frozen || asked.Parent != row.state {
			t.Errorf("%s asks for %+v", name, asked)
		}
	}
}

func TestSameAs(t *testing.T) {
	for _, row := range []struct {
		name string
		edit edit
		same bool
	}{
		{"status", withStatus("Failed"), true},
		{"resourceVersion", withVersion(9999), true},
		{"finalizers", func(c *unstructured.Unstructured) { c.SetFinalizers(nil) }, true},
		{"managedFields", func(c *unstructured.Unstructured) { c.SetManagedFields(nil) }, true},
		{"canary-checker's round trip", fanouttest.WrittenBy(derive.Checker, "http", fanouttest.List{fanouttest.HTTPCheck(fanouttest.Empties)}), true},
		{"a person's empty object", fanouttest.WrittenBy("kubectl-edit", "http", fanouttest.List{fanouttest.HTTPCheck(fanouttest.Empties)}), false},
		{"a person's edit with a round trip", fanouttest.WrittenBy(derive.Checker, "http", fanouttest.List{fanouttest.HTTPCheck(fanouttest.Fields{"url": "http://elsewhere"})}), false},
		{"spec", withSpec("schedule", "@every 1h"), false},
		{"agentSelector", withSelector([]any{"*"}), false},
		{"agentSelector gone", withoutSpec("agentSelector"), false},
		{"agentSelector invalid", withSelector([]any{"["}), false},
		{"a label", withLabel("x", "y"), false},
		{"an annotation", withAnnotation("x", "y"), false},
		{"recreated", withUID("another"), false},
		{"deletion", beingDeleted, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			before, after := parentOf(t, aParent()), parentOf(t, aParent(row.edit))
			if got := before.sameAs(after); got != row.same {
				t.Errorf("sameAs: %t", got)
			}
			if got := after.sameAs(before); got != row.same {
				t.Errorf("sameAs the other way round: %t", got)
			}
		})
	}
	before, after := parentOf(t, aParent()), parentOf(t, aParent(withGeneration(4)))
	if !before.sameAs(after) {
		t.Error("a generation that rises is a change")
	}
	if after.sameAs(before) {
		t.Error("a generation that goes back is none")
	}
}
