package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// lifecycle is what happens to a check and to agents in the course of time.
func lifecycle(t *testing.T, w *world) {
	in := w.aNamespace(t, "lifecycle")
	last := w.members[len(w.members)-1]
	others := w.but(last)
	const name = "api-health"
	edited := strings.ReplaceAll(parent(in, name, "*"), "@never", "@every 12h")
	w.hub.apply(t, parent(in, name, "*"))
	w.isIn(t, in, name, w.members...)

	t.Run("An edit follows everywhere", func(t *testing.T) {
		w.hub.apply(t, edited)
		w.isIn(t, in, name, w.members...) // with the schedule
	})
	t.Run("A removed agent is cleaned", func(t *testing.T) {
		said := w.deregister(t, last.name)
		if !strings.Contains(said, "Deregistered") {
			t.Errorf("it does not say how it went:\n%s", said)
		}
		w.isIn(t, in, name, others...)
	})
	t.Run("A new agent gets what is there", func(t *testing.T) {
		w.register(t, last)
		w.isIn(t, in, name, w.members...)
	})
	t.Run("A copy that was edited is put back", func(t *testing.T) {
		last.kubectl(t, "--namespace", in, "patch", "canary", name, "--type=merge", `--patch={"spec":{"schedule":"@every 1s"}}`)
		w.isIn(t, in, name, w.members...)
	})
	t.Run("A copy that was deleted comes back", func(t *testing.T) {
		uid := last.kubectl(t, "--namespace", in, "get", "canary", name, "--output=jsonpath={.metadata.uid}")
		last.kubectl(t, "--namespace", in, "delete", "canary", name, "--wait=false")
		eventually(t, "another copy stands there", func() error {
			now, err := last.try("--namespace", in, "get", "canary", name, "--output=jsonpath={.metadata.uid}")
			if err == nil && now == uid {
				err = fmt.Errorf("it is the one that was deleted")
			}
			return err
		})
		w.isIn(t, in, name, w.members...)
	})
	t.Run("What a member adds stays", func(t *testing.T) {
		last.kubectl(t, "--namespace", in, "label", "canary", name, "team=shop")
		w.hub.apply(t, parent(in, name, "*"))
		w.isIn(t, in, name, w.members...)
		last.shows(t, "shop", "--namespace", in, "get", "canary", name, "--output=jsonpath={.metadata.labels.team}")
	})
	t.Run("The hub runs what local asks for", func(t *testing.T) {
		w.hub.apply(t, parent(in, name, "local", last.name))
		w.hub.shows(t, in+"/"+name, "--namespace", in, "get", "canary", name+"-local", `--output=jsonpath={.metadata.annotations.fanout\.flanksource\.com/parent}`)
		w.isIn(t, in, name, last)
		w.hub.apply(t, parent(in, name, "*"))
		w.hub.shows(t, "", "--namespace", in, "get", "canary", name+"-local", "--ignore-not-found", "--output=name")
	})
	t.Run("With its parent a check goes everywhere", func(t *testing.T) {
		w.isIn(t, in, name, w.members...)
		w.hub.kubectl(t, "--namespace", in, "delete", "canary", name)
		w.hold(t, in, nil)
	})
	t.Run("Without a selector it is nobody's parent", func(t *testing.T) {
		w.hub.apply(t, parent(in, name, "*"))
		w.isIn(t, in, name, w.members...)
		w.hub.kubectl(t, "--namespace", in, "patch", "canary", name, "--type=merge", `--patch={"spec":{"agentSelector":null}}`)
		w.hold(t, in, nil)
	})
}
