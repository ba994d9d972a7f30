package e2e

import (
	"testing"
)

// upgrading changes a value of the release, and then upgrades from the chart as it was a commit ago. Nothing is written to a member
// by either.
func upgrading(t *testing.T, w *world) {
	in := w.aNamespace(t, "upgrading")
	w.hub.apply(t, parent(in, "api-health", "*"))
	w.isIn(t, in, "api-health", w.members...)
	managed := func() string {
		all := ""
		for _, member := range w.members {
			all += member.kubectl(t, "--namespace", in, "get", "canaries", "--show-managed-fields",
				`--output=jsonpath={range .items[*].metadata}{.uid} {range .managedFields[?(@.manager=="fanout")]}{.time}{end}{end}`) + "\n"
		}
		return all
	}
	before := managed()
	w.install(t, chart, append(quick, "--reset-then-reuse-values", "--set", "replicaCount=2,flags.v=2")...)
	w.hub.shows(t, "2", "--namespace", namespace, "get", "deployment", "fanout", "--output=jsonpath={.status.readyReplicas}")
	w.hub.mentions(t, "--v=2", "--namespace", namespace, "get", "deployment", "fanout", "--output=jsonpath={.spec.template.spec.containers[0].args}")
	t.Run("A misspelt value is refused", func(t *testing.T) {
		fails(t, 1, []string{"replicaCounts"}, w.helm, "upgrade", "fanout", chart, "--kube-context", w.hub.context(), "--namespace", namespace, "--set", "replicaCounts=2")
	})
	t.Run("From the chart of a commit ago", func(t *testing.T) {
		run(t, w.helm, "uninstall", "fanout", "--kube-context", w.hub.context(), "--namespace", namespace, "--wait")
		w.install(t, w.chartBefore(t), "--set", "image.tag=dev")
		for _, member := range w.members {
			w.hub.mentions(t, "fanout.flanksource.com/cluster", "--namespace", namespace, "get", "secret", member.name, "--output=jsonpath={.metadata.finalizers}")
		}
		w.install(t, chart, quick...)
	})
	w.isIn(t, in, "api-health", w.members...)
	// A copy that is written afterwards shows that the new one has looked at these as well.
	w.hub.apply(t, parent(in, "zz-last", "*"))
	want := map[*cluster][]string{}
	for _, member := range w.members {
		want[member] = []string{"api-health", "zz-last"}
	}
	w.hold(t, in, want)
	w.hub.kubectl(t, "--namespace", in, "delete", "canary", "zz-last")
	w.isIn(t, in, "api-health", w.members...)
	if after := managed(); after != before {
		t.Errorf("the copies were written:\n%sand before\n%s", after, before)
	}
}
