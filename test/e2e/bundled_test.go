package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// bundled has an application bring a check of its own into two members, with values for each, beside one that is fanned out there.
func bundled(t *testing.T, w *world) {
	in := w.aNamespace(t, "bundled")
	eu, us := w.member(t, "eu-west-prod"), w.member(t, "us-east-prod")
	const service = "url=http://kube-dns.kube-system.svc.cluster.local:9153/metrics"
	w.hub.apply(t, parent(in, "cross-cutting", "*"))
	w.isIn(t, in, "cross-cutting", w.members...)
	bring := func(member *cluster, schedule, bound string) {
		args := []string{"--kube-context", member.context(), "upgrade", "--install", "payment-service", "charts/bundled-canary", "--namespace", in,
			"--set", service, "--set", "schedule=" + schedule, "--set", "maxResponseTime=" + bound}
		// canary-checker writes the checks back, and to the API server they are its own as well then: docs/choosing.md.
		if !strings.HasPrefix(run(t, w.helm, "version", "--short"), "v3") {
			args = append(args, "--force-conflicts")
		}
		run(t, w.helm, args...)
		t.Cleanup(func() {
			_, _ = try(w.helm, "--kube-context", member.context(), "uninstall", "payment-service", "--namespace", in)
		})
	}
	bring(eu, "@every 15s", "5000")
	bring(us, "@every 30s", "8000")
	look := func(member *cluster, want string) {
		t.Helper()
		member.shows(t, want, "--namespace", in, "get", "canary", "payment-service-health",
			`--output=jsonpath={.spec.schedule} {.spec.http[0].thresholdMillis} {.metadata.labels.app\.kubernetes\.io/managed-by} {.status.status}`)
	}
	look(eu, "@every 15s 5000 Helm Passed")
	look(us, "@every 30s 8000 Helm Passed")
	w.isIn(t, in, "cross-cutting", w.members...)

	t.Run("Each goes its own way", func(t *testing.T) {
		uid := func() string {
			return eu.kubectl(t, "--namespace", in, "get", "canary", "cross-cutting", "--output=jsonpath={.metadata.uid}")
		}
		before := uid()
		bring(eu, "@every 20s", "4000")
		look(eu, "@every 20s 4000 Helm Passed")
		look(us, "@every 30s 8000 Helm Passed")
		run(t, w.helm, "--kube-context", eu.context(), "uninstall", "payment-service", "--namespace", in, "--wait")
		eu.shows(t, "", "--namespace", in, "get", "canary", "payment-service-health", "--ignore-not-found", "--output=name")
		w.isIn(t, in, "cross-cutting", w.members...)
		if after := uid(); after != before {
			t.Errorf("the fanned out check is another one than before: %s and %s", before, after)
		}
		w.hub.kubectl(t, "--namespace", in, "delete", "canary", "cross-cutting")
		w.hold(t, in, nil)
		look(us, "@every 30s 8000 Helm Passed")
	})
	t.Run("One name for both is a conflict, and the bundled one stays", func(t *testing.T) {
		w.hub.apply(t, parent(in, "payment-service-health", "us-*"))
		w.hub.mentions(t, "Conflict", "--namespace", in, "get", "events", "--field-selector=involvedObject.name=payment-service-health")
		look(us, "@every 30s 8000 Helm Passed")
		w.hub.kubectl(t, "--namespace", in, "delete", "canary", "payment-service-health")
		look(us, "@every 30s 8000 Helm Passed")
		if said := fmt.Sprint(us.canaries(in, "--selector=app.kubernetes.io/managed-by=fanout")); said != "map[] <nil>" {
			t.Errorf("fanout holds %s", said)
		}
	})
}
