package integration

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"fanout/pkg/check"
	"fanout/test/fixture"
)

// check runs fanout check as the hub's administrator and returns its results by what was looked at.
func (w *world) check(t *testing.T, flags ...string) (code int, results map[string]check.Result) {
	t.Helper()
	code, printed := fixture.Run(t, w.hub.Kubeconfig, append([]string{"check", "--cluster-namespace", w.namespace, "-o", "json"}, flags...)...)
	text, _, _ := strings.Cut(printed, "\nfanout: ")
	var list []check.Result
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%v in:\n%s", err, printed)
	}
	results = map[string]check.Result{}
	for _, result := range list {
		results[result.Check] = result
		if (result.Status == check.Failed) != (result.Next != "") {
			t.Errorf("what stands in the way and the next step don't go together: %+v", result)
		}
	}
	return code, results
}

func expectStatus(t *testing.T, results map[string]check.Result, want map[string]check.Status) {
	t.Helper()
	for name, status := range want {
		if got := results[name]; got.Status != status {
			t.Errorf("%s is %+v, not %s", name, got, status)
		}
	}
	if len(results) != len(want) {
		t.Errorf("it looked at %v", results)
	}
}

// noDeployments is how the one check ends that these control planes, which serve no Deployments, leave to test/e2e.
const noDeployments = check.Unknown

// What stands in the way is told at each step from an empty hub to one where all is well.
func TestCheckCommand(t *testing.T) {
	w := newWorld(t)
	code, results := w.check(t, "--pre")
	expectStatus(t, results, map[string]check.Status{"hub": check.OK, "crd": check.OK, "installing": check.OK})
	if code != 0 {
		t.Errorf("before installing: code %d", code)
	}

	code, results = w.check(t)
	expectStatus(t, results, map[string]check.Status{
		"hub": check.OK, "crd": check.OK, "rights": check.Failed, "lease": check.Failed, "deployment": noDeployments, "members": check.Failed,
	})
	if code != 1 || !strings.Contains(results["rights"].Message, "patch secrets in namespace "+w.namespace) || !strings.Contains(results["members"].Next, "fanout register NAME") {
		t.Errorf("of an empty hub: code %d, %v", code, results)
	}

	w.startFanout(t) // which grants the rights
	w.register(t, "eu-west-prod")
	w.hub.Register(t, w.namespace, "us-east-prod", []byte("{}"))
	w.expectSecretEvent(t, "eu-west-prod", "Connected", "")
	code, results = w.check(t, "--members")
	expectStatus(t, results, map[string]check.Status{
		"hub": check.OK, "crd": check.OK, "rights": check.OK, "lease": check.OK, "deployment": noDeployments,
		"member eu-west-prod": check.OK, "member us-east-prod": check.Failed,
	})
	if code != 1 || !strings.Contains(results["member eu-west-prod"].Message, " answers, ID ") {
		t.Errorf("with a bad Secret: code %d, %v", code, results)
	}

	w.hub.Deregister(t, w.namespace, "us-east-prod")
	if code, results = w.check(t, "--page"); code != 1 || !strings.Contains(results["rights"].Message, "create tokenreviews.authentication.k8s.io") {
		t.Errorf("without the rights that the page takes: code %d, %v", code, results)
	}
	w.hub.LeastRights(t, "hub-page.yaml", w.namespace)
	if code, results = w.check(t, "--page"); code != 0 {
		t.Errorf("where all is well: code %d, %v", code, results)
	}
}

// Somebody who may not look is told so, which is no failure of what could not be looked at.
func TestCheckWithoutRights(t *testing.T) {
	w := newWorld(t)
	somebody, err := w.hub.KubeconfigFor(t.Context(), "somebody")
	if err != nil {
		t.Fatal(err)
	}
	code, printed := fixture.Run(t, somebody, "check", "--cluster-namespace", w.namespace)
	if code != 0 || strings.Count(printed, "\n? ") != 5 || !strings.Contains(printed, "✓ hub: Kubernetes ") {
		t.Errorf("code %d\n%s", code, printed)
	}
	code, printed = fixture.Run(t, fixture.Kubeconfig(t, &rest.Config{Host: "https://127.0.0.1:1", TLSClientConfig: w.hub.Config.TLSClientConfig}), "check")
	if code != 1 || strings.Count(printed, "\n  next: ") != 1 || !strings.Contains(printed, "✗ hub: https://127.0.0.1:1") {
		t.Errorf("code %d\n%s", code, printed)
	}
}
