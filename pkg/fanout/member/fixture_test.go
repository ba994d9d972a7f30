package member

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/fanout/fanouttest"
)

const (
	thisHub  = fanouttest.ThisHub
	otherHub = fanouttest.OtherHub
	member1  = fanouttest.Member1
	member2  = fanouttest.Member2
	checker  = derive.Checker
)

type (
	fields = fanouttest.Fields
	list   = fanouttest.List
	edit   = fanouttest.Edit
)

var (
	aParent           = fanouttest.Parent
	at                = fanouttest.At
	withLabel         = fanouttest.WithLabel
	withoutLabel      = fanouttest.WithoutLabel
	withAnnotation    = fanouttest.WithAnnotation
	withoutAnnotation = fanouttest.WithoutAnnotation
	withUID           = fanouttest.WithUID
	withVersion       = fanouttest.WithVersion
	withSpec          = fanouttest.WithSpec
	withoutSpec       = fanouttest.WithoutSpec
	withStatus        = fanouttest.WithStatus
	beingDeleted      = fanouttest.BeingDeleted
	managedBy         = fanouttest.ManagedBy
	withManager       = fanouttest.WithManager
	asStored          = fanouttest.AsStored
	writtenBy         = fanouttest.WrittenBy
	anHTTPCheck       = fanouttest.HTTPCheck
	empties           = fanouttest.Empties
)

// demandOf is what parent asks of agent's cluster.
func demandOf(parent *unstructured.Unstructured, hubID, agent string) Demand {
	plain := derive.WithoutRoundTrip(parent.Object["spec"], derive.ManagersOf(parent))
	return Demand{Copy: derive.For(parent, plain, hubID, agent), Parent: SomeParent}
}

// copyFor is what agent's cluster should hold of parent.
func copyFor(parent *unstructured.Unstructured, hubID, agent string) *unstructured.Unstructured {
	return demandOf(parent, hubID, agent).Canary()
}

// mustEqual compares deeply, unexported fields of this package's structs included.
func mustEqual[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(observed{}, packed{}, place{}, fight{}, settlement{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
