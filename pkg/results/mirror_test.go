package results

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What a line shows is read back as that, and is a transition where it is another state or another reason to be out of sync.
func TestLinesAreReadAsShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawParent(t)
		draw := func() Line { return Lines(p, []Agent{drawAgent(t, "eu-west-prod")}, noon)[0] }
		a, b := draw(), draw()
		wholeA, shapeA := ReadLine(a.Status())
		wholeB, shapeB := ReadLine(b.Status())
		if whole, shape := ReadLine(wire(t, a.Status())); whole != wholeA || shape != shapeA {
			t.Fatalf("%v is read back as something else", a.Status())
		}
		if same := a.State == b.State && a.Before == b.Before && a.Out.Reason == b.Out.Reason; same != (shapeA == shapeB) {
			t.Fatalf("a transition: %t, from %v to %v", !same, a.Status(), b.Status())
		}
		if same := cmp.Equal(a.Status(), b.Status()); same != (wholeA == wholeB) {
			t.Fatalf("a change: %t, from %v to %v", !same, a.Status(), b.Status())
		}
	})
}
