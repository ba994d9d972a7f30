package integration

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

	"fanout/test/fixture"
)

// cli runs a command of fanout's as a user, and returns its exit code and what it printed to standard output and to standard error.
func (w *world) cli(t *testing.T, user []byte, args ...string) (code int, out, errOut string) {
	t.Helper()
	command := fixture.Command(t, user, append(args, "--cluster-namespace", w.namespace)...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	_ = command.Run()
	return command.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// expectCLI runs a command until it ends with that code and has printed all of that, of which words are apart by any number of blanks.
func (w *world) expectCLI(t *testing.T, user []byte, code int, says []string, args ...string) (out, errOut string) {
	t.Helper()
	fixture.Eventually(t, fmt.Sprintf("%q says %q", args, says), func() error {
		var got int
		got, out, errOut = w.cli(t, user, args...)
		printed := strings.Join(strings.Fields(out), " ")
		for _, part := range says {
			if !strings.Contains(printed, part) {
				return fmt.Errorf("code %d, without %q:\n%s%s", got, part, out, errOut)
			}
		}
		if got != code {
			return fmt.Errorf("code %d:\n%s%s", got, out, errOut)
		}
		return nil
	})
	return out, errOut
}

func may(verb, group, resource string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: strings.Split(verb, ","), APIGroups: []string{group}, Resources: strings.Split(resource, ",")}
}

const canaryGroup = "canaries.flanksource.com"

// Where no controller can be asked, the statuses tell what they do, as far as the user may read them, and it is said what is missing.
func TestTheCommandLineWithoutAController(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"labels":{"region":"eu"}}}`)
	controller := w.startFanout(t)
	w.hub.Apply(t, w.hourly("api-health", "region=eu", "us-*"))
	for _, agent := range []string{"eu-west-prod", "us-east-prod"} {
		w.expectDerived(t, agent, "api-health")
	}
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Failing(time.Now(), "expected \x1b[31m500\x1b[0m to be in [200]"))
	w.members["us-east-prod"].Report(t, w.canaries, "api-health", fixture.Passing(time.Now()))
	w.expectShown(t, "api-health", "Failed", "2 agents: 1 passed, 1 failed; 2 in sync", nil)
	controller.Stop(t)

	reader := w.hub.As(t, "reader", w.canaries, may("get,list,watch", canaryGroup, "canaries"))
	_, errOut := w.expectCLI(t, reader, 0, []string{"NAME STATUS AGENTS", "api-health Failed 2 2 1 23/24 (95.8%) 7ms"}, "get", "-n", w.canaries)
	for _, part := range []string{"the controller could not be asked", "pods is forbidden", "Missing are"} {
		if strings.Count(errOut, part) != 1 {
			t.Errorf("it does not say once %q: %s", part, errOut)
		}
	}
	out, _ := w.expectCLI(t, reader, 0, []string{"eu-west-prod Failed yes 11/12 (91.7%) 7ms", "expected [31m500 [0m to be in [200]", "us-east-prod Passed yes"}, "get", "api-health", "-n", w.canaries)
	if strings.Contains(out, "\x1b") {
		t.Errorf("it colours the terminal: %q", out)
	}
	w.expectCLI(t, reader, 0, []string{"us-east-prod"}, "get", "api-health", "-n", w.canaries, "-o", `jsonpath={.canary.copies[?(@.state=="Passed")].agent}`)
	w.expectCLI(t, reader, 1, nil, "get", "nothing", "-n", w.canaries)
	if code, _, errOut := w.cli(t, reader, "get", "-A"); code != 1 || !strings.Contains(errOut, "-n") {
		t.Errorf("code %d of what may not be listed: %s", code, errOut)
	}

	t.Log("with the right to list all Canaries")
	w.hub.Allow(t, "reader", "", may("list", canaryGroup, "canaries"))
	out, errOut = w.expectCLI(t, reader, 0, []string{"eu-west-prod Unknown - - 1 1 1", "us-east-prod Unknown - - 1 1 0"}, "agents")
	if strings.Contains(out, "local") || !strings.Contains(errOut, "list Secrets in namespace "+w.namespace) {
		t.Errorf("without Secrets it says\n%s%s", out, errOut)
	}

	t.Log("with the right to read Secrets, labels count")
	w.hub.Allow(t, "reader", w.namespace, may("list", "", "secrets"))
	w.expectCLI(t, reader, 0, []string{"eu-west-prod Unknown", "region=eu"}, "agents", "-l", "region=eu", "-o", "wide")
	w.expectCLI(t, reader, 0, []string{"AGENT SELECTED BY eu-west-prod yes region=eu"}, "match", "region=eu")
	w.expectCLI(t, reader, 0, []string{`✓ selector: the entry "region=eu" takes it in`, "? health: whether it can be reached only the controller knows", "✗ result (Failed)"}, "why", "api-health", "eu-west-prod", "-n", w.canaries)
	out, _ = w.expectCLI(t, reader, 1, []string{"2 unknown"}, "preview", "api-health", "-n", w.canaries)
	if strings.Contains(out, "to change") {
		t.Errorf("it knows what it can't: %s", out)
	}
}
