package e2e

import (
	"testing"
)

// lost deletes a member's cluster for good. Its registration goes when the controller has waited long enough. The next make e2e makes the
// cluster again.
func lost(t *testing.T, w *world) {
	in := w.aNamespace(t, "lost")
	gone := w.member(t, "ap-south-dev")
	w.hub.apply(t, parent(in, "api-health", "*"))
	w.isIn(t, in, "api-health", w.members...)
	run(t, "docker", "rm", "--force", "--volumes", gone.node())
	w.members = w.but(gone)
	w.hub.apply(t, parent(in, "later", "*"))
	want := map[*cluster][]string{}
	for _, member := range w.members {
		want[member] = []string{"api-health", "later"}
	}
	w.hold(t, in, want)
	fails(t, 3, []string{"CleanupTimedOut", gone.name, "is gone"}, "fanout", "deregister", gone.name, "--context", w.hub.context(), "--yes")
	w.hub.shows(t, "", "--namespace", namespace, "get", "secret", gone.name, "--ignore-not-found", "--output=name")
	w.hold(t, in, want)
}
