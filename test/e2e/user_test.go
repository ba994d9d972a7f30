package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// user is an ordinary one of the hub, who types kubectl fanout: a ServiceAccount with the rights of docs/cli.md and no others.
type user struct{ kubeconfig string }

// aUser may read the Canaries of one namespace and list fanout's pods, and not yet forward to these.
func (w *world) aUser(t *testing.T, in string) user {
	t.Helper()
	w.hub.kubectl(t, "--namespace", in, "create", "serviceaccount", "viewer")
	w.allow(t, in, in, "canaries", "get,list", "canaries.canaries.flanksource.com")
	w.allow(t, in, namespace, "pods", "list", "pods")

	folder := t.TempDir()
	if err := os.Symlink(filepath.Join(w.root, "bin", "fanout"), filepath.Join(folder, "kubectl-fanout")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(filepath.ListSeparator)+os.Getenv("PATH"))
	u := user{filepath.Join(folder, "kubeconfig")}
	hub := w.hub.kubectl(t, "config", "view", "--raw", "--minify")
	if err := os.WriteFile(u.kubeconfig, []byte(hub), 0o600); err != nil {
		t.Fatal(err)
	}
	config := []string{"config", "--kubeconfig", u.kubeconfig}
	run(t, "kubectl", append(config, "delete-user", w.hub.context())...) // who may do anything
	run(t, "kubectl", append(config, "set-credentials", "viewer", "--token", strings.TrimSpace(w.hub.kubectl(t, "--namespace", in, "create", "token", "viewer")))...)
	run(t, "kubectl", append(config, "set-context", "--current", "--user", "viewer")...)
	return u
}

// allow grants the user of the namespace home something in a namespace.
func (w *world) allow(t *testing.T, home, in, name, verbs, resources string) {
	t.Helper()
	name = "viewer-" + name
	w.hub.kubectl(t, "--namespace", in, "create", "role", name, "--verb", verbs, "--resource", resources)
	w.hub.kubectl(t, "--namespace", in, "create", "rolebinding", name, "--role", name, "--serviceaccount", home+":viewer")
	t.Cleanup(func() { w.hub.kubectl(t, "--namespace", in, "delete", "role/"+name, "rolebinding/"+name) })
}

// sees waits until kubectl fanout succeeds and prints each of the texts, of which words are apart by any number of blanks, and what it says
// on standard error is as wanted.
func (u user) sees(t *testing.T, says []string, warns func(string) bool, args ...string) {
	t.Helper()
	args = append(append([]string{"fanout"}, args...), "--kubeconfig", u.kubeconfig)
	eventually(t, fmt.Sprintf("kubectl %s prints %q", strings.Join(args, " "), says), func() error {
		command := exec.Command("kubectl", args...)
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		err := command.Run()
		printed := strings.Join(strings.Fields(stdout.String()), " ")
		for _, text := range says {
			if err == nil && !strings.Contains(printed, text) {
				err = fmt.Errorf("it does not print %q", text)
			}
		}
		if err == nil && !warns(stderr.String()) {
			err = fmt.Errorf("that is not what it is to say on standard error")
		}
		if err != nil {
			err = fmt.Errorf("%w:\n%s%s", err, stdout.String(), stderr.String())
		}
		return err
	})
}

// quietly is a standard error on which nothing stands, and fallenBack one that says that the controller could not be asked.
func quietly(stderr string) bool { return stderr == "" }

func fallenBack(stderr string) bool {
	return strings.Contains(stderr, "the controller could not be asked") && strings.Contains(stderr, "pods/portforward") && strings.Contains(stderr, "forbidden")
}

// seesAll has the user ask the controller for a Canary that fails on one agent and passes on the others.
func (u user) seesAll(t *testing.T, w *world, in, name string, failing *cluster) {
	t.Helper()
	var connected, selected []string
	for _, member := range w.members {
		connected = append(connected, member.name+" Connected")
		selected = append(selected, member.name+" yes *")
	}
	space := "--namespace=" + in
	u.sees(t, []string{failing.name + " Failed yes", "expected 500 to be in [200]"}, quietly, "get", name, space)
	u.sees(t, []string{fmt.Sprintf("%s Failed %d", name, len(w.members))}, quietly, "get", space)
	u.sees(t, append(connected, "local Connected"), quietly, "agents")
	u.sees(t, selected, quietly, "match", "*")
	u.sees(t, []string{fmt.Sprintf("%s: %d unchanged", name, len(w.members))}, quietly, "preview", name, space)
	u.sees(t, []string{`✓ selector: the entry "*" takes it in`, "✓ health: it is connected", "✗ result (Failed)", "next: look at the check itself"}, quietly, "why", name, failing.name, space)
}
