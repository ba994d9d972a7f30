package bench

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/test/fixture"
)

// besideChecker counts what a new copy costs its member in requests where canary-checker takes it in as well.
func besideChecker(t *testing.T, w *world) {
	f := newField(t, w)
	for _, member := range f.members {
		member.StartChecker(t)
	}
	ours := f.contenders[len(f.contenders)-1]
	before := f.requests(t)
	isTakenIn := f.await(t, ofFanout, w.fresh, func(found *unstructured.Unstructured) bool {
		return found.GetLabels()["round"] == "0" && fixture.IsChecked(found) == nil
	})
	f.fill(t, ours, 0, w.fresh)
	isTakenIn()
	f.edit(t, ours, "@every 2h") // goes through behind all that was to be done before
	w.figures.add(t, "beside-checker-requests", (f.requests(t)-before-float64(w.real))/float64(w.fresh*w.real), "requests", fmt.Sprintf(
		"to members per copy, until a stand-in for canary-checker has taken in %d copies in each of %d real members", w.fresh, w.real))
}

// requests counts what only fanout and the floors ask of the members: canary-checker updates Canaries and patches their status, and
// the harness watches them.
func (f *field) requests(t *testing.T) (sum float64) {
	t.Helper()
	for _, member := range f.members {
		metrics := member.Metrics(t) // of which there are many
		for _, verb := range []string{"APPLY", "PATCH", "GET", "POST", "DELETE"} {
			sum += fixture.Sum(t, metrics, "apiserver_request_total", "resource", "canaries", "verb", verb, "subresource", "")
		}
	}
	return sum
}
