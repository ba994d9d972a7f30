package e2e

import (
	"strings"
	"testing"
)

// outages has a member hang, and then lose its way to the hub, while checks change. The others must not notice, and it catches up.
func outages(t *testing.T, w *world) {
	in := w.aNamespace(t, "outages")
	away := w.members[0]
	others := w.but(away)
	const name = "api-health"
	schedule := func(text string) string { return strings.ReplaceAll(parent(in, name, "*"), "@never", text) }
	w.hub.apply(t, schedule("@every 1h"))
	w.isIn(t, in, name, w.members...)

	t.Run("A member hangs", func(t *testing.T) {
		w.forgetEvents(t, away.name)
		away.pause(t)
		w.hub.apply(t, schedule("@every 2h"))
		w.among(others, func() { w.isIn(t, in, name, others...) })
		w.hub.mentions(t, away.server(), w.said(away.name, "Unreachable")...)
		away.goOn(t)
		w.isIn(t, in, name, w.members...)
		w.hub.mentions(t, "Connected", w.said(away.name, "Connected")...)
	})
	t.Run("A member is cut off", func(t *testing.T) {
		w.forgetEvents(t, away.name)
		heal := w.cutOff(t, away)
		w.hub.apply(t, schedule("@every 3h"))
		w.among(others, func() { w.isIn(t, in, name, others...) })
		w.hub.mentions(t, away.server(), w.said(away.name, "Unreachable")...)
		t.Run("and keeps what it has", func(t *testing.T) {
			away.shows(t, "@every 2h", "--namespace", in, "get", "canary", name, "--output=jsonpath={.spec.schedule}")
		})
		t.Run("and what goes meanwhile goes when it is back", func(t *testing.T) {
			w.hub.kubectl(t, "--namespace", in, "delete", "canary", name)
			w.among(others, func() { w.hold(t, in, nil) })
			away.shows(t, "canary.canaries.flanksource.com/"+name, "--namespace", in, "get", "canary", name, "--output=name")
			heal()
			w.hold(t, in, nil)
			w.hub.mentions(t, "Connected", w.said(away.name, "Connected")...)
		})
	})
}

// among has do see some of the members only.
func (w *world) among(members []*cluster, do func()) {
	all := w.members
	defer func() { w.members = all }()
	w.members = members
	do()
}

// cutOff takes a member's way to the hub, until heal is called or the test's end.
func (w *world) cutOff(t *testing.T, away *cluster) (heal func()) {
	t.Helper()
	hub := strings.TrimSpace(w.hub.address(t))
	heal = func() {
		_, _ = try("docker", "exec", away.node(), "iptables", "-D", "INPUT", "-s", hub, "-j", "DROP")
	}
	run(t, "docker", "exec", away.node(), "iptables", "-I", "INPUT", "-s", hub, "-j", "DROP")
	t.Cleanup(heal)
	return heal
}

// pause stops a cluster's node where it stands, with all that runs on it. At the test's end it goes on.
func (c *cluster) pause(t *testing.T) {
	t.Helper()
	run(t, "docker", "pause", c.node())
	t.Cleanup(func() { _, _ = try("docker", "unpause", c.node()) })
}

func (c *cluster) goOn(t *testing.T) { t.Helper(); run(t, "docker", "unpause", c.node()) }

// address is the node's on the containers' network.
func (c *cluster) address(t *testing.T) string {
	t.Helper()
	return run(t, "docker", "inspect", "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", c.node())
}

// forgetEvents takes away what was said of a member before, so that what is said next is told from it.
func (w *world) forgetEvents(t *testing.T, agent string) {
	t.Helper()
	w.hub.kubectl(t, "--namespace", namespace, "delete", "events", "--field-selector=involvedObject.name="+agent)
}

// said asks for what the controller says of a member for a reason.
func (w *world) said(agent, reason string) []string {
	return []string{"--namespace", namespace, "get", "events", "--field-selector=involvedObject.name=" + agent + ",reason=" + reason}
}
