package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const evidenceFolder = "out/e2e"

// keepEvidence writes what the clusters hold when a chapter has failed to out/e2e/CHAPTER.
func (w *world) keepEvidence(t *testing.T) {
	if !t.Failed() {
		return
	}
	folder := filepath.Join(evidenceFolder, strings.ReplaceAll(filepath.Base(t.Name()), "/", "-"))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Error(err)
		return
	}
	keep := func(file, program string, args ...string) {
		output, err := try(program, args...)
		if err != nil {
			output += "\n" + err.Error()
		}
		if err := os.WriteFile(filepath.Join(folder, file), []byte(output), 0o600); err != nil {
			t.Error(err)
		}
	}
	for _, c := range w.clusters() {
		keep(c.name+"-canaries.yaml", "kubectl", "--request-timeout=10s", "--context", c.context(), "get", "canaries", "--all-namespaces", "--output=yaml", "--show-managed-fields")
		keep(c.name+"-events.txt", "kubectl", "--request-timeout=10s", "--context", c.context(), "get", "events", "--all-namespaces", "--sort-by=.lastTimestamp")
		keep(c.name+"-pods.txt", "kubectl", "--request-timeout=10s", "--context", c.context(), "get", "pods,deployments,jobs,leases", "--all-namespaces", "--output=wide")
		keep(c.name+"-checker.log", "kubectl", "--request-timeout=10s", "--context", c.context(), "--namespace=canary-checker", "logs", "deployment/canarychecker", "--tail=500")
	}
	// Names and labels of the Secrets, and not what they hold.
	keep("hub-secrets.txt", "kubectl", "--context", w.hub.context(), "--namespace", namespace, "get", "secrets", "--show-labels",
		"--output=custom-columns=NAME:.metadata.name,DELETED:.metadata.deletionTimestamp,FINALIZERS:.metadata.finalizers,LABELS:.metadata.labels")
	keep("hub-fanout.log", "kubectl", "--context", w.hub.context(), "--namespace", namespace, "logs", "--selector=app.kubernetes.io/name=fanout", "--prefix", "--tail=-1")
	keep("hub-fanout-before.log", "kubectl", "--context", w.hub.context(), "--namespace", namespace, "logs", "--selector=app.kubernetes.io/name=fanout", "--prefix", "--tail=-1", "--previous")
	keep("hub-release.txt", w.helm, "--kube-context", w.hub.context(), "--namespace", namespace, "status", "fanout", "--show-resources")
	keep("nodes.txt", "docker", "ps", "--all", "--filter", "label=io.x-k8s.kind.cluster")
	t.Logf("what the clusters held is in %s", folder)
}
