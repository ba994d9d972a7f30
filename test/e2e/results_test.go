package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// comeHome has members say how a check fares, as canary-checker says it, and looks at what kubectl shows of the parent in the hub.
func comeHome(t *testing.T, w *world) {
	in := w.aNamespace(t, "results")
	const name = "api-health"
	failing, others := w.members[0], w.but(w.members[0])
	w.hub.apply(t, parent(in, name, "*")) // which nobody else runs
	w.isIn(t, in, name, w.members...)
	all := func(counts string) string { return fmt.Sprintf("%d agents: %s", len(w.members), counts) }
	w.shown(t, in, name, "Pending", all(fmt.Sprintf("%d pending; %[1]d in sync", len(w.members))))
	for _, member := range others {
		member.reports(t, in, name, `"status": "Passed", "uptime1h": "12/12 (100.0%)", "latency1h": "7ms"`)
	}

	t.Run("It fails in one of them", func(t *testing.T) {
		failing.reports(t, in, name, `"status": "Failed", "errorMessage": "expected 500 to be in [200]", "uptime1h": "6/12 (50.0%)", "latency1h": "12ms"`)
		w.shown(t, in, name, "Failed", all(fmt.Sprintf("%d passed, 1 failed; %d in sync", len(others), len(w.members))))
		w.ofAgent(t, in, name, failing, "Failed")
		runs := 12 * len(w.members)
		line := w.hub.kubectl(t, "--namespace", in, "get", "canary", name, "--no-headers", "--output=wide")
		for _, says := range []string{"Failed", fmt.Sprintf("%d/%d (", runs-6, runs), "12ms", failing.name + ": expected 500 to be in [200]"} {
			if !strings.Contains(line, says) {
				t.Errorf("kubectl get does not show %q: %s", says, line)
			}
		}
		w.hub.mentions(t, failing.name, "--namespace", in, "get", "events", "--field-selector=reason=Failing,involvedObject.name="+name)
	})
	viewer := w.aUser(t, in)
	t.Run("An ordinary user sees in the statuses what the controller may not be asked for", func(t *testing.T) {
		viewer.sees(t, []string{failing.name + " Failed yes", "expected 500 to be in [200]"}, fallenBack, "get", name, "--namespace="+in)
	})
	w.allow(t, in, namespace, "forward", "create,get", "pods/portforward")
	t.Run("and with the right to ask it all that there is", func(t *testing.T) { viewer.seesAll(t, w, in, name, failing) })
	t.Run("It is mended", func(t *testing.T) {
		failing.reports(t, in, name, `"status": "Passed", "errorMessage": null, "uptime1h": "7/13 (53.8%)", "latency1h": "12ms"`)
		w.shown(t, in, name, "Passed", all(fmt.Sprintf("%d passed; %[1]d in sync", len(w.members))))
		w.hub.mentions(t, "Recovered", "--namespace", in, "get", "events", "--field-selector=involvedObject.name="+name)
	})
	t.Run("A member is cut off: it says what was known last", func(t *testing.T) {
		heal := w.cutOff(t, failing)
		w.shown(t, in, name, "Unreachable", all(fmt.Sprintf("%d passed, 1 unreachable; %[1]d in sync", len(others))))
		w.ofAgent(t, in, name, failing, "Unreachable, Passed before")
		viewer.sees(t, []string{"✗ health (Unreachable)", "it was Passed when something was last heard of it", "next: see what stands in the way"}, quietly, "why", name, failing.name, "--namespace="+in)
		t.Run("also after a restart of the controller", func(t *testing.T) {
			w.hub.kubectl(t, "--namespace", namespace, "rollout", "restart", "deployment/fanout")
			w.hub.kubectl(t, "--namespace", namespace, "rollout", "status", "deployment/fanout", "--timeout", patience.String())
			other := others[0]
			other.reports(t, in, name, `"status": "Failed", "errorMessage": "connection refused"`)
			w.shown(t, in, name, "Failed", all(fmt.Sprintf("%d passed, 1 failed, 1 unreachable; %d in sync", len(others)-1, len(others))))
			w.ofAgent(t, in, name, failing, "Unreachable, Passed before")
			other.reports(t, in, name, `"status": "Passed", "errorMessage": null`)
		})
		t.Run("and what it says when it is back", func(t *testing.T) {
			heal()
			w.shown(t, in, name, "Passed", all(fmt.Sprintf("%d passed; %[1]d in sync", len(w.members))))
			w.ofAgent(t, in, name, failing, "Passed")
		})
	})
}

// reports writes the status of a copy as canary-checker does.
func (c *cluster) reports(t *testing.T, in, name, fields string) {
	t.Helper()
	c.kubectl(t, "--namespace", in, "patch", "canary", name, "--subresource=status", "--type=merge", "--field-manager=canary-checker",
		fmt.Sprintf(`--patch={"status": {"lastCheck": %q, %s}}`, time.Now().UTC().Format(time.RFC3339), fields))
}

// shown waits until the status of a parent in the hub says this.
func (w *world) shown(t *testing.T, in, name, status, message string) {
	t.Helper()
	w.hub.shows(t, status+"|"+message, "--namespace", in, "get", "canary", name, "--output=jsonpath={.status.status}|{.status.message}")
}

// ofAgent waits until the status of a parent in the hub says this of a member.
func (w *world) ofAgent(t *testing.T, in, name string, agent *cluster, says string) {
	t.Helper()
	w.hub.shows(t, says, "--namespace", in, "get", "canary", name, fmt.Sprintf("--output=jsonpath={.status.checkStatus.%s.message}", agent.name))
}
