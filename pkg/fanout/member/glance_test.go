package member

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/fanout/fanouttest"
)

// glanceOf is the glance at a Canary as an API server sends it.
func glanceOf(t rapid.TB, c *unstructured.Unstructured) glance {
	t.Helper()
	text, err := json.Marshal(c.Object) // as an API server does: UnstructuredJSONScheme ends with a line feed
	must(t, err)
	return glanceAt(string(text))
}

// kept is what a member holds of a parent's copy, a while after it was written.
func kept(edits ...edit) *unstructured.Unstructured {
	return asStored(copyFor(aParent(), thisHub, member1), append([]edit{withUID("copy"), withVersion(7), func(c *unstructured.Unstructured) {
		c.SetCreationTimestamp(metav1.Unix(1_700_000_000, 0))
	}}, edits...)...)
}

// What is remembered by a glance is what is remembered of the decoded object.
func TestAGlanceSeesWhatDecodingShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := asStored(copyFor(fanouttest.DrawParent(t), thisHub, member1))
		edits := []edit{
			writtenBy(checker, "http", list{anHTTPCheck(empties)}), writtenBy("kubectl-edit", "schedule", "@every 1m"),
			withStatus("Failed"), beingDeleted, withAnnotation("seen", `"é<`),
		}
		for _, i := range rapid.SliceOfDistinct(rapid.IntRange(0, len(edits)-1), rapid.ID).Draw(t, "edits") {
			edits[i](c)
		}
		c.SetResourceVersion(strconv.Itoa(rapid.IntRange(1, 99).Draw(t, "version")))
		want := observe(fanouttest.OverTheWire(t, c))

		g := glanceOf(t, c)
		decoded, err := g.decode()
		must(t, err)
		got := g.of(decoded)
		want.print = g.print
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(observed{})); diff != "" {
			t.Fatalf("observed (-decoded +glance):\n%s", diff)
		}
		if g.key != derive.KeyOf(c) || g.version != c.GetResourceVersion() {
			t.Fatalf("seen as %s@%s", g.key, g.version)
		}
	})
}

func TestAPrintIsTheSameWhereNothingIsToBeDone(t *testing.T) {
	statusBy := func(time string) edit {
		return withManager(fields{"manager": checker, "operation": "Update", "subresource": "status", "time": time, "fieldsV1": fields{"f:status": fields{}}})
	}
	at := func(time string) edit {
		return withManager(fields{"manager": "kubectl-label", "operation": "Update", "time": time, "fieldsV1": fields{"f:metadata": fields{}}})
	}
	plain := glanceOf(t, kept(at("2026-01-01T00:00:00Z"))).print
	for name, edit := range map[string]edit{
		"status":                  withStatus("Failed"),
		"version":                 withVersion(9),
		"the status's manager":    statusBy("2026-01-01T00:00:00Z"),
		"since when it manages":   statusBy("2026-02-02T00:00:00Z"),
		"an unknown, outer field": func(c *unstructured.Unstructured) { c.Object["more"] = true },
	} {
		if got := glanceOf(t, kept(at("2026-02-01T00:00:00Z"), edit)).print; got != plain {
			t.Errorf("%s: %x is not %x", name, got, plain)
		}
	}
	seen := map[uint64]string{plain: "nothing"}
	for name, edit := range map[string]edit{
		"spec":               withSpec("schedule", "@every 1h"),
		"spec, its order":    withSpec("http", list{anHTTPCheck(fields{"a": "b"}), anHTTPCheck(nil)}),
		"label":              withLabel("team", "orders"),
		"annotation":         withAnnotation("docs", "nowhere"),
		"UID":                withUID("another"),
		"deletion":           beingDeleted,
		"generation":         fanouttest.WithGeneration(9),
		"owner":              func(c *unstructured.Unstructured) { c.SetOwnerReferences([]metav1.OwnerReference{{Name: "a"}}) },
		"manager of a field": managedBy("kubectl-edit", metav1.ManagedFieldsOperationUpdate, "http"),
	} {
		got := glanceOf(t, kept(at("2026-01-01T00:00:00Z"), edit)).print
		if twin, known := seen[got]; known {
			t.Errorf("a change of %s looks like one of %s", name, twin)
		}
		seen[got] = name
	}
}

// An answer that needs no decoding says what one that is decoded says; any other is decoded.
func TestWhatIsStoredAsItWasSent(t *testing.T) {
	want := demandOf(aParent(), thisHub, member1).Copy
	stored := kept(withStatus("Passed"))
	g := glanceOf(t, stored)
	expected := observe(stored)
	expected.print = g.print
	mustEqual(t, "as sent", g.asSent(want), expected)
	for name, edit := range map[string]edit{
		"spec":       withSpec("schedule", "@every 1h"),
		"label":      withLabel("added", "there"),
		"annotation": withAnnotation("added", "there"),
		"owner":      func(c *unstructured.Unstructured) { c.SetOwnerReferences([]metav1.OwnerReference{{Name: "a"}}) },
		"deleted":    beingDeleted,
		"a stranger": managedBy("kubectl-edit", metav1.ManagedFieldsOperationUpdate, "more"),
		"no UID":     withUID(""),
		"no time":    func(c *unstructured.Unstructured) { c.SetCreationTimestamp(metav1.Time{}) },
	} {
		if g := glanceOf(t, kept(edit)); g.asSent(want) != nil {
			t.Errorf("%s: not decoded", name)
		}
	}
	if g.asSent(demandOf(aParent(), thisHub, member2).Copy) != nil {
		t.Error("another agent's: not decoded")
	}
}

// FuzzGlance has JSON be looked over that a hostile member sends: what is valid is read as encoding/json reads it.
func FuzzGlance(f *testing.F) {
	f.Add(`{"metadata":{"name":"a","namespace":"b","resourceVersion":"3","managedFields":[{"manager":"x","fieldsV1":{"f:spec":{}}}]},"spec":{"a":[1,"]"]}}`)
	f.Add(`{"metadata":{"name":"\u0061\"","labels":{"}":"{"}},"spec":[`)
	f.Add(`{"metadata":[],"spec":7}`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, text string) {
		g := glanceAt(text)
		g.hasStrangers()
		decoded, err := g.decode()
		var object struct {
			Metadata *struct{ Name, Namespace string }
			Spec     json.RawMessage
		}
		strict := map[string]json.RawMessage{}
		if json.Unmarshal([]byte(text), &strict) != nil || json.Unmarshal([]byte(text), &object) != nil || object.Metadata == nil || len(strict) < 2 {
			return // no Canary
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if decoded.GetName() != g.key.Name || decoded.GetNamespace() != g.key.Namespace {
			t.Fatalf("%q is %s, and decoded %s/%s", text, g.key, decoded.GetNamespace(), decoded.GetName())
		}
	})
}

func BenchmarkGlance(b *testing.B) {
	text, err := kept(withStatus("Passed")).MarshalJSON()
	must(b, err)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		glanceAt(string(text))
	}
}
