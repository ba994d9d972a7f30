package derive

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/fanout/fanouttest"
)

const (
	thisHub  = fanouttest.ThisHub
	otherHub = fanouttest.OtherHub
	member1  = fanouttest.Member1
	member2  = fanouttest.Member2
)

type (
	fields = fanouttest.Fields
	list   = fanouttest.List
	edit   = fanouttest.Edit
)

var (
	aParent        = fanouttest.Parent
	at             = fanouttest.At
	withLabel      = fanouttest.WithLabel
	withoutLabel   = fanouttest.WithoutLabel
	withAnnotation = fanouttest.WithAnnotation
	withUID        = fanouttest.WithUID
	withGeneration = fanouttest.WithGeneration
	withVersion    = fanouttest.WithVersion
	withSelector   = fanouttest.WithSelector
	withSpec       = fanouttest.WithSpec
	withoutSpec    = fanouttest.WithoutSpec
	withStatus     = fanouttest.WithStatus
	beingDeleted   = fanouttest.BeingDeleted
)

// derivedOf is what agent's cluster should hold of a parent.
func derivedOf(parent *unstructured.Unstructured, hubID, agent string) *unstructured.Unstructured {
	return For(parent, WithoutRoundTrip(parent.Object["spec"], ManagersOf(parent)), hubID, agent).Canary()
}

func mustEqual[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
