package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// chart is fanout's, and quick the settings with which most chapters install it: what is away is noticed sooner than by default.
const chart = "charts/fanout"

var quick = []string{"--set", "flags.probe-period=2s,flags.probe-timeout=2s,flags.deregister-timeout=20s"}

// install installs fanout in the hub, or upgrades it, and waits until it is ready.
func (w *world) install(t *testing.T, from string, settings ...string) {
	t.Helper()
	run(t, w.helm, append([]string{"upgrade", "--install", "fanout", from, "--kube-context", w.hub.context(), "--namespace", namespace, "--create-namespace",
		"--wait", "--timeout", patience.String()}, settings...)...)
}

// register registers a member under its own name, at the address by which the hub's pods find it, and waits until it is connected.
func (w *world) register(t *testing.T, member *cluster) {
	t.Helper()
	w.registerAs(t, member, member.name)
}

func (w *world) registerAs(t *testing.T, member *cluster, agent string) {
	t.Helper()
	run(t, "fanout", "register", agent, "--context", w.hub.context(), "--member-context", member.context(), "--server", member.server())
}

func (w *world) deregister(t *testing.T, agent string) string {
	t.Helper()
	return run(t, "fanout", "deregister", agent, "--context", w.hub.context(), "--yes")
}

// empty takes fanout, what it and people put there, and every release out of all clusters, however an earlier run ended.
func (w *world) empty(t *testing.T) {
	t.Helper()
	for _, c := range w.clusters() {
		for _, line := range strings.Split(strings.TrimSpace(run(t, w.helm, "--kube-context", c.context(), "list", "--all-namespaces", "--no-headers")), "\n") {
			if fields := strings.Fields(line); len(fields) > 1 {
				// Without its hook: whatever a broken run has left must not stand in the way of a new one.
				run(t, w.helm, "--kube-context", c.context(), "uninstall", fields[0], "--namespace", fields[1], "--no-hooks", "--wait")
			}
		}
	}
	if secrets, err := w.hub.try("--namespace", namespace, "get", "secrets", "--output=name"); err == nil && secrets != "" {
		w.hub.kubectl(t, "--namespace", namespace, "delete", "lease", "fanout", "--ignore-not-found")
		run(t, "fanout", "release", "--force", "--context", w.hub.context())
	}
	for _, c := range w.clusters() {
		c.kubectl(t, "delete", "canaries", "--all", "--all-namespaces")
		gone := []string{"namespace/" + namespace}
		for _, name := range strings.Fields(c.kubectl(t, "get", "namespaces", "--output=name")) {
			if strings.HasPrefix(name, "namespace/e2e-") || name == "namespace/payments" {
				gone = append(gone, name)
			}
		}
		c.kubectl(t, append([]string{"delete", "--ignore-not-found", "--timeout=2m"}, gone...)...)
		c.kubectl(t, "delete", "clusterrole,clusterrolebinding", "fanout-member", "fanout-hub", "--ignore-not-found")
	}
}

// archive is the chart as it was a commit ago, or this one where there is none.
func (w *world) chartBefore(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if _, err := try("bash", "-c", fmt.Sprintf("set -o pipefail; git archive HEAD~1 %s | tar --extract --directory %s", chart, folder)); err != nil {
		w.report.add("upgrading: there is no chart a commit ago, so it goes from this one to this one: %.80s", strings.Join(strings.Fields(err.Error()), " "))
		return chart
	}
	return filepath.Join(folder, chart)
}
