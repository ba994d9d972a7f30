package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// uninstalling takes the release out while members are registered and hold copies. Nothing hangs, and what is left is what is said.
func uninstalling(t *testing.T, w *world) {
	in := "e2e-uninstalling"
	eventually(t, "make the namespace "+in, func() error {
		_, err := w.hub.try("create", "namespace", in)
		return err
	})
	w.hub.apply(t, parent(in, "api-health", "*"))
	w.isIn(t, in, "api-health", w.members...)
	// With what Helm tells of the hook, which goes to its log.
	said := run(t, "bash", "-c", `"$@" 2>&1`, "bash", w.helm, "uninstall", "fanout", "--kube-context", w.hub.context(), "--namespace", namespace, "--wait", "--timeout", patience.String())

	t.Run("No Secret is held", func(t *testing.T) {
		held := w.hub.kubectl(t, "--namespace", namespace, "get", "secrets", "--selector=fanout.flanksource.com/secret-type=cluster", `--output=jsonpath={range .items[*]}{.metadata.name}:{.metadata.finalizers} {end}`)
		for _, member := range w.members {
			if !strings.Contains(held, member.name+": ") {
				t.Errorf("%s is not there without a finalizer, but: %s", member.name, held)
			}
		}
	})
	t.Run("Nothing of the release is left", func(t *testing.T) {
		w.hub.shows(t, "", "get", "clusterroles,clusterrolebindings,roles,rolebindings,deployments,jobs,pods,services,serviceaccounts,configmaps,poddisruptionbudgets,networkpolicies",
			"--all-namespaces", "--selector=app.kubernetes.io/instance=fanout", "--output=name")
	})
	t.Run("Its namespace goes", func(t *testing.T) {
		w.hub.kubectl(t, "delete", "namespace", namespace, "--timeout=2m")
	})
	t.Run("The members have what they had", func(t *testing.T) {
		w.isIn(t, in, "api-health", w.members...)
	})
	t.Run("It says how to take that away", func(t *testing.T) {
		selector := regexp.MustCompile(`kubectl delete canaries -A -l ([a-z./=0-9-]+)`).FindStringSubmatch(said)
		if selector == nil {
			t.Fatalf("it says\n%s", said)
		}
		for _, member := range w.members {
			member.kubectl(t, "delete", "canaries", "-A", "-l", selector[1])
		}
		w.hold(t, in, nil)
	})
	w.empty(t)
}
