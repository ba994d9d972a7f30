package fanout

import (
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fanout/pkg/fanout/fanouttest"
)

const (
	thisHub  = fanouttest.ThisHub
	otherHub = fanouttest.OtherHub
	member1  = fanouttest.Member1
)

type edit = fanouttest.Edit

var (
	aParent        = fanouttest.Parent
	at             = fanouttest.At
	withLabel      = fanouttest.WithLabel
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

func mustEqual[T any](t rapid.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
