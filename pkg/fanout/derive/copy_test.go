package derive

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"fanout/pkg/fanout/fanouttest"
)

// What is sent says of an object all that the copy is, and to which object it goes; and what an API server stores of it is known again.
func TestWhatIsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parent := fanouttest.DrawParent(t)
		agent := rapid.SampledFrom([]string{member1, member2, LocalAgent, `odd"<é>`}).Draw(t, "agent")
		c := copyOf(parent, agent)

		got := &unstructured.Unstructured{}
		body := c.Apply("the-uid", "42")
		if err := got.UnmarshalJSON(body); err != nil {
			t.Fatal(err)
		}
		want := c.Canary()
		want.SetUID("the-uid")
		want.SetResourceVersion("42")
		want = fanouttest.OverTheWire(t, want)
		if diff := cmp.Diff(want.Object, got.Object); diff != "" {
			t.Fatalf("sent (-the copy +sent):\n%s", diff)
		}
		if c.Canary().GetAnnotations()[AnnotationHash] != c.Hash || c.Hash == "" {
			t.Fatalf("it is said to be %q", c.Hash)
		}
		if again := Hash(c.Labels(), c.Annotations(), Owner(want), c.Plain()); again != c.Hash {
			t.Fatalf("its hash is %s, and by what it holds %s", c.Hash, again)
		}
		if reduced, _ := ReduceLists(c.Plain()); c.Content != Hash(c.Labels(), c.Annotations(), Owner(want), reduced) {
			t.Fatalf("its content is %s", c.Content)
		}

		text, err := got.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		stored := func(path string) string { return gjson.GetBytes(text, path).Raw }
		if !c.IsStoredAs(stored("metadata.labels"), stored("metadata.annotations"), stored("spec")) {
			t.Fatalf("not known again:\n%s\n%s", text, body)
		}
		other := copyOf(parent, agent+"x")
		if other.IsStoredAs(stored("metadata.labels"), stored("metadata.annotations"), stored("spec")) {
			t.Fatal("taken for another agent's")
		}
	})
}

func TestACopyThatWasHandedOver(t *testing.T) {
	c := copyOf(aParent(), member1)
	adopted := c.Adopted()
	want := c.Canary()
	withAnnotation(AnnotationAdopt, "adopted")(want)
	mustEqual(t, "adopted", adopted.Canary().Object, want.Object)
	got := &unstructured.Unstructured{}
	if err := got.UnmarshalJSON(adopted.Apply("", "")); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "sent", got.Object, want.Object)
	mustEqual(t, "before", c.Annotations()[AnnotationAdopt], "")
}

// copyOf is what agent's cluster should hold of parent.
func copyOf(parent *unstructured.Unstructured, agent string) Copy {
	return For(parent, WithoutRoundTrip(parent.Object["spec"], ManagersOf(parent)), thisHub, agent)
}

// BenchmarkDerive is what each member costs, BenchmarkNewTemplate what each version of a parent does.
func BenchmarkDerive(b *testing.B) {
	parent := aParent()
	template := NewTemplate(parent, parent.Object["spec"], thisHub, false)
	b.ReportAllocs()
	for b.Loop() {
		template.For(member1).Apply("", "1")
	}
}

func BenchmarkNewTemplate(b *testing.B) {
	parent := aParent()
	b.ReportAllocs()
	for b.Loop() {
		NewTemplate(parent, parent.Object["spec"], thisHub, false)
	}
}
