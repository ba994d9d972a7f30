package integration

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/test/fixture"
)

// When fanout is gone, what it held can be let go by one command, which refuses to work against a fanout that runs.
func TestRelease(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	controller := w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	release := func(flags ...string) (int, string) {
		return fixture.Run(t, w.hub.Kubeconfig, append([]string{"release", "--cluster-namespace", w.namespace}, flags...)...)
	}

	if code, printed := release("--wait=0"); code != 1 || !strings.Contains(printed, "a controller runs") {
		t.Errorf("while fanout runs: code %d, %s", code, printed)
	}
	controller.Stop(t)
	w.hub.Deregister(t, w.namespace, "eu-west-prod")
	secret, err := w.hub.Kube.CoreV1().Secrets(w.namespace).Get(t.Context(), "eu-west-prod", metav1.GetOptions{})
	if err != nil || secret.DeletionTimestamp == nil {
		t.Fatalf("the Secret is not held: %v", err)
	}

	code, printed := release()
	for _, line := range []string{"secret/eu-west-prod released\n", "secret/us-east-prod released\n", "kubectl delete canaries -A -l fanout.flanksource.com/hub="} {
		if code != 0 || !strings.Contains(printed, line) {
			t.Errorf("code %d, and %q does not say %q", code, printed, line)
		}
	}
	w.expectSecretGone(t, "eu-west-prod")
	secret, err = w.hub.Kube.CoreV1().Secrets(w.namespace).Get(t.Context(), "us-east-prod", metav1.GetOptions{})
	if err != nil || len(secret.Finalizers) > 0 || len(secret.Data) == 0 {
		t.Errorf("a Secret that nobody deleted: %v, finalizers %v", err, secret.Finalizers)
	}
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	if code, printed := release(); code != 0 || !strings.HasPrefix(printed, "No Secret") {
		t.Errorf("once more: code %d, %s", code, printed)
	}
}
