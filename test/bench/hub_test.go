package bench

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/test/simulator"
)

// hubWrites counts what fanout has written to the hub: statuses of parents, and everything else. Events are among that, though the
// hub's audit log leaves them out.
func (w *world) hubWrites(t *testing.T) (others, statuses int64) {
	t.Helper()
	all, err := w.hub.AuditedWrites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, write := range all {
		switch {
		case !strings.HasPrefix(write.UserAgent, "fanout/") || write.Code >= 300:
		case write.Resource == "canaries" && write.Subresource == "status":
			statuses++
		default:
			others++
		}
	}
	events, err := w.hub.Kube.CoreV1().Events(metav1.NamespaceAll).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return others + int64(len(events.Items)), statuses
}

// mostStatusWrites counts the writes of one parent's status that came to the hub within window, for the parent and the time with the most.
func (w *world) mostStatusWrites(t *testing.T, since time.Time, window time.Duration) (most int) {
	t.Helper()
	all, err := w.hub.AuditedWrites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	recent := map[string][]time.Time{} // by parent, those within window before the last
	for _, write := range all {
		if !strings.HasPrefix(write.UserAgent, "fanout/") || write.Resource != "canaries" || write.Subresource != "status" || write.Time.Before(since) {
			continue
		}
		times := append(recent[write.Name], write.Time)
		for times[len(times)-1].Sub(times[0]) >= window {
			times = times[1:]
		}
		recent[write.Name], most = times, max(most, len(times))
	}
	return most
}

// written counts what was written to members, storms aside.
func written(counts simulator.Counts) (sum int64) {
	for _, count := range counts.Writes {
		sum += count
	}
	return sum
}

// bodySize finds how much the hub was sent in writes of a resource.
var bodySize = regexp.MustCompile(`(?m)^apiserver_request_body_size_bytes_sum\{.*resource="([^"]*)".*\} (\S+)$`)

// hubBytes is what the hub was sent in writes of everything but Canaries, which the parents' owner writes, ConfigMaps, by which the audit
// log is marked, and Leases, of which the API server has its own.
func (w *world) hubBytes(t *testing.T) (sum float64) {
	t.Helper()
	text, err := w.hub.Kube.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := bodySize.FindAllStringSubmatch(string(text), -1)
	if found == nil {
		t.Fatal("the hub does not tell what it was sent")
	}
	for _, line := range found {
		if line[1] == "canaries" || line[1] == "configmaps" || line[1] == "leases" {
			continue
		}
		size, err := strconv.ParseFloat(line[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += size
	}
	return sum
}

// hubLoad is what a copy costs the hub, beside its parent.
func hubLoad(t *testing.T, w *world) {
	if w.held > 0 {
		w.wipe(t)
	}
	w.start(t, w.many, 0)
	w.newCopies(t, "warm", w.many, 1)
	const parents = 10
	writes, statuses := w.hubWrites(t)
	bytes := w.hubBytes(t)
	if writes < int64(w.many) || bytes == 0 { // it put a finalizer on each member's Secret
		t.Fatalf("the hub tells of %d writes, %.0f bytes: not what fanout wrote there before", writes, bytes)
	}
	w.newCopies(t, "hub", w.many, parents)
	w.synced(t, w.many*(parents+1))
	writesAfter, statusesAfter := w.hubWrites(t)
	copies := float64(w.many * parents)
	conditions := fmt.Sprintf("for each of %.0f copies in %d members, beside the %d parents", copies, w.many, parents)
	w.figures.add(t, "hub-writes", float64(writesAfter-writes)/copies, "writes", "objects written to the hub "+conditions)
	w.figures.add(t, "hub-writes-bytes", (w.hubBytes(t)-bytes)/copies, "bytes", "written to the hub "+conditions)
	w.figures.add(t, "hub-writes-statuses", float64(statusesAfter-statuses)/parents, "writes", "of each parent's status meanwhile")
	w.wipe(t)
}
