package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// installing goes from an empty hub to a copy in each member by three commands.
func installing(t *testing.T, w *world) {
	w.empty(t)
	first := w.members[0]
	t.Run("What stands in the way is said before", func(t *testing.T) {
		said := run(t, "fanout", "check", "--pre", "--context", w.hub.context())
		if strings.Contains(said, "✗") || strings.Count(said, "✓") < 3 {
			t.Errorf("it does not find all in order:\n%s", said)
		}
		fails(t, 1, []string{"✗", "fanout-system"}, "fanout", "check", "--context", w.hub.context())
	})
	t.Run("A user without rights is told what is missing", func(t *testing.T) {
		nobody := []string{"--context", w.hub.context(), "--as", "nobody"}
		fails(t, 1, []string{"✗ installing", "you may not", "administrator"}, "fanout", append([]string{"check", "--pre"}, nobody...)...)
		fails(t, 1, []string{"forbidden", "nobody"}, "fanout",
			append([]string{"register", first.name, "--member-context", first.context(), "--server", first.server()}, nobody...)...)
		fails(t, 1, []string{"forbidden", "nobody"}, "fanout", append([]string{"deregister", first.name, "--yes"}, nobody...)...)
	})
	t.Run("A loopback address is refused with the way out", func(t *testing.T) {
		fails(t, 1, []string{"--server"}, "fanout", "register", first.name, "--context", w.hub.context(), "--member-context", first.context())
	})
	t.Run("From helm install to a first copy", func(t *testing.T) {
		in := w.aNamespace(t, "first")
		w.hub.apply(t, parent(in, "first", "*"))
		began := time.Now()
		w.install(t, chart)
		installed := time.Since(began)
		w.register(t, first)
		eventually(t, "the first copy arrives", func() error {
			_, err := first.try("--namespace", in, "get", "canary", "first")
			return err
		})
		w.report.add("helm install to the first copy in a member: %.1f s, of which helm install --wait took %.1f s", time.Since(began).Seconds(), installed.Seconds())
		for _, member := range w.members[1:] {
			w.register(t, member)
		}
		w.isIn(t, in, "first", w.members...)
		w.report.add("image: %s bytes", strings.TrimSpace(run(t, "docker", "image", "inspect", "fanout:dev", "--format={{.Size}}")))
		w.report.add("controller's memory with %d members: %s", len(w.members), w.memory(t))
	})
	t.Run("What is there is found in order", func(t *testing.T) {
		said := run(t, "fanout", "check", "--context", w.hub.context())
		if strings.Contains(said, "✗") || strings.Count(said, "member ") < len(w.members) {
			t.Errorf("it does not find all in order:\n%s", said)
		}
	})
	w.install(t, chart, quick...)
}

// memory is what the controller says of itself.
func (w *world) memory(t *testing.T) string {
	t.Helper()
	pod := w.hub.kubectl(t, "--namespace", namespace, "get", "pods", "--selector=app.kubernetes.io/name=fanout", "--output=jsonpath={.items[0].metadata.name}")
	metrics := w.hub.kubectl(t, "get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8080/proxy/metrics", namespace, pod))
	for _, line := range strings.Split(metrics, "\n") {
		if value, ok := strings.CutPrefix(line, "process_resident_memory_bytes "); ok {
			if bytes, err := strconv.ParseFloat(value, 64); err == nil {
				return fmt.Sprintf("%.0f MiB resident", bytes/(1<<20))
			}
		}
	}
	t.Error("the controller does not tell its memory")
	return "?"
}
