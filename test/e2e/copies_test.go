package e2e

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// canaryColumns are a Canary's name and schedule, by which one version of it is told from another here.
const canaryColumns = `--output=jsonpath={range .items[*]}{.metadata.name}|{.spec.schedule}{"\n"}{end}`

// canaries are the schedules of a namespace's Canaries, by name.
func (c *cluster) canaries(in string, more ...string) (map[string]string, error) {
	output, err := c.try(append([]string{"get", "canaries", "--namespace", in, canaryColumns}, more...)...)
	if err != nil {
		return nil, err
	}
	schedules := map[string]string{}
	for _, line := range strings.Fields(strings.ReplaceAll(output, " ", "_")) {
		name, schedule, _ := strings.Cut(line, "|")
		schedules[name] = schedule
	}
	return schedules, nil
}

// hold waits until each member holds exactly the copies that are named for it in a namespace, each with its parent's schedule.
func (w *world) hold(t *testing.T, in string, want map[*cluster][]string) {
	t.Helper()
	parents, err := w.hub.canaries(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range w.members {
		wanted := map[string]string{}
		for _, name := range want[member] {
			wanted[name] = parents[name]
		}
		eventually(t, fmt.Sprintf("%s holds the copies %v of the namespace %s", member.name, wanted, in), func() error {
			copies, err := member.canaries(in, "--selector=app.kubernetes.io/managed-by=fanout")
			if err == nil && !maps.Equal(copies, wanted) {
				err = fmt.Errorf("it holds %v", copies)
			}
			return err
		})
	}
}

// isIn waits until exactly these members hold a copy of the only parent of a namespace.
func (w *world) isIn(t *testing.T, in, name string, members ...*cluster) {
	t.Helper()
	want := map[*cluster][]string{}
	for _, member := range members {
		want[member] = []string{name}
	}
	w.hold(t, in, want)
}

// parent is the manifest of a Canary with selectors that is never run.
func parent(in, name string, selectors ...string) string {
	return parentWith(in, name, `schedule: "@never"`, selectors...)
}

// parentWith has more in its spec.
func parentWith(in, name, spec string, selectors ...string) string {
	var list strings.Builder
	for _, selector := range selectors {
		fmt.Fprintf(&list, "\n    - %q", selector)
	}
	return fmt.Sprintf(`---
apiVersion: canaries.flanksource.com/v1
kind: Canary
metadata: {name: %s, namespace: %s}
spec:
  %s
  agentSelector:%s
`, name, in, strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  "), list.String())
}

// aNamespace makes one in the hub for a chapter. At its end it goes, and with it all that was fanned out of it: what is left of it in a
// member is a fault.
func (w *world) aNamespace(t *testing.T, name string) string {
	t.Helper()
	name = "e2e-" + name
	eventually(t, "make the namespace "+name, func() error {
		_, err := w.hub.try("create", "namespace", name)
		return err
	})
	t.Cleanup(func() {
		w.hub.kubectl(t, "delete", "namespace", name, "--wait=false")
		w.hold(t, name, nil)
		for _, member := range w.members {
			member.kubectl(t, "delete", "namespace", name, "--wait=false", "--ignore-not-found")
		}
	})
	return name
}
