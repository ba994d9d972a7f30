package bench

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/test/fixture"
)

// mostRequests is what a copy may cost in requests to its member, where canary-checker takes it in as well.
const mostRequests = 1.05

// BenchmarkFillBesideChecker is a thousand new copies in ten members with a stand-in for canary-checker in each. It counts what
// fanout asks of the members until canary-checker has taken them all in, and has nothing to do with time.
func BenchmarkFillBesideChecker(b *testing.B) {
	f := newField(b)
	for _, member := range f.members {
		member.StartChecker(b)
	}
	f.edit(b, ofFanout, "@every 1h")
	before := f.requests(b)
	rounds := 0
	for ; b.Loop(); rounds++ {
		isTakenIn := f.await(b, ofFanout, copies/members, func(found *unstructured.Unstructured) bool {
			return found.GetLabels()["round"] == fmt.Sprint(rounds) && fixture.IsChecked(found) == nil
		})
		f.fill(b, ofFanout, rounds)
		isTakenIn()
	}
	f.edit(b, ofFanout, "@every 2h") // goes through behind all that was to be done before
	perCopy := (f.requests(b) - before - members) / float64(rounds*copies)
	b.ReportMetric(perCopy, "requests/copy")
	b.ReportMetric(0, "ns/op")
	if perCopy > mostRequests {
		b.Errorf("a copy costs %.3f requests", perCopy)
	}
}

// requests counts what only fanout asks of the members: canary-checker updates Canaries and patches their status, and the harness
// watches them.
func (f *field) requests(b *testing.B) (sum float64) {
	b.Helper()
	for _, member := range f.members {
		for _, verb := range []string{"APPLY", "PATCH", "GET", "POST", "DELETE"} {
			sum += member.Metric(b, "apiserver_request_total", "resource", "canaries", "verb", verb, "subresource", "")
		}
	}
	return sum
}
