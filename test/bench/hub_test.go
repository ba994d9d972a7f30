package bench

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/pkg/fanout/derive"
	"fanout/test/controlplane"
	"fanout/test/simulator"
)

// hubWrites is how much fanout has written to the hub: statuses of parents, Events about them, and everything else.
type hubWrites struct{ statuses, events, others int64 }

func (h hubWrites) all() int64 { return h.statuses + h.events + h.others }

func (h hubWrites) since(before hubWrites) hubWrites {
	return hubWrites{h.statuses - before.statuses, h.events - before.events, h.others - before.others}
}

// hubWrites counts by the hub's audit log, and Events, which that leaves out, by themselves.
func (w *world) hubWrites(t *testing.T) (sum hubWrites) {
	t.Helper()
	for _, write := range w.writes(t) {
		switch {
		case write.Code >= 300:
		case isStatus(write):
			sum.statuses++
		default:
			sum.others++
		}
	}
	events, err := w.hub.Kube.CoreV1().Events(metav1.NamespaceAll).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range events.Items {
		count := int64(max(1, event.Count))
		if event.InvolvedObject.Kind == derive.Kind {
			sum.events += count
		} else {
			sum.others += count
		}
	}
	return sum
}

// told waits until nothing is written to the hub but parents' statuses and Events about them: Events about members that have connected are
// written one after the other.
func (w *world) told(t *testing.T) {
	t.Helper()
	for last := int64(-1); ; {
		others := w.hubWrites(t).others
		if others == last {
			return
		}
		last = others
		settle(t, time.Second)
	}
}

// writes are fanout's to the hub, by the hub's audit log, whether or not they were accepted.
func (w *world) writes(t *testing.T) []controlplane.Write {
	t.Helper()
	all, err := w.hub.AuditedWrites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(write controlplane.Write) bool { return !strings.HasPrefix(write.UserAgent, "fanout/") })
}

// statusWrites are those of parents' statuses.
func (w *world) statusWrites(t *testing.T) []controlplane.Write {
	t.Helper()
	return slices.DeleteFunc(w.writes(t), func(write controlplane.Write) bool { return !isStatus(write) })
}

func isStatus(write controlplane.Write) bool {
	return write.Resource == derive.Canaries.Resource && write.Subresource == "status"
}

// mostStatusWrites counts the writes of one parent's status that came to the hub within window, for the parent and the time with the most.
func (w *world) mostStatusWrites(t *testing.T, since time.Time, window time.Duration) (most int) {
	t.Helper()
	recent := map[string][]time.Time{} // by parent, those within window before the last
	for _, write := range w.statusWrites(t) {
		if write.Time.Before(since) {
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
// log is marked, Events, which hubWrites counts, and Leases, of which the API server has its own.
func (w *world) hubBytes(t *testing.T) (sum float64) {
	t.Helper()
	found := bodySize.FindAllStringSubmatch(w.hub.Metrics(t), -1)
	if found == nil {
		t.Fatal("the hub does not tell what it was sent")
	}
	for _, line := range found {
		if slices.Contains([]string{"canaries", "configmaps", "events", "leases"}, line[1]) {
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
	w.newCopies(t, ours, "warm", w.many, 1)
	w.told(t)
	const parents = 10
	before := w.hubWrites(t)
	bytes := w.hubBytes(t)
	if before.others < int64(w.many) || bytes == 0 { // it put a finalizer on each member's Secret
		t.Fatalf("the hub tells of %d writes, %.0f bytes: not what fanout wrote there before", before.others, bytes)
	}
	w.newCopies(t, ours, "hub", w.many, parents)
	w.synced(t, w.many*(parents+1))
	writes := w.hubWrites(t).since(before)
	copies := float64(w.many * parents)
	conditions := fmt.Sprintf("for each of %.0f copies in %d members, beside the %d parents", copies, w.many, parents)
	w.figures.add(t, "hub-writes", float64(writes.others)/copies, "writes", "objects written to the hub "+conditions)
	w.figures.add(t, "hub-writes-bytes", (w.hubBytes(t)-bytes)/copies, "bytes", "written to the hub "+conditions)
	w.figures.add(t, "hub-writes-statuses", float64(writes.statuses)/parents, "writes", "of each parent's status meanwhile")
	w.figures.add(t, "hub-writes-events", float64(writes.events)/parents, "writes", "of Events about each parent meanwhile")
	w.wipe(t)
}
