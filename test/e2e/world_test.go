package e2e

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// kubeconfigVariable names the file with the contexts kind-hub and kind-MEMBER, as hack/kind writes it.
const kubeconfigVariable = "FANOUT_E2E_KUBECONFIG"

// namespace is where fanout is installed, and identities are made in members.
const namespace = "fanout-system"

// world is the clusters and the programs that they are worked with.
type world struct {
	root    string
	helm    string
	hub     *cluster
	members []*cluster // those that are still there
	report  *report
}

func newWorld(t *testing.T) *world {
	t.Helper()
	kubeconfig := os.Getenv(kubeconfigVariable)
	if kubeconfig == "" {
		t.Skipf("needs clusters on kind: type make e2e, which makes them and sets %s", kubeconfigVariable)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", kubeconfig)
	t.Setenv("PATH", filepath.Join(root, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Chdir(root)
	w := &world{root: root, report: newReport()}
	if w.helm, err = exec.LookPath("helm"); err != nil {
		t.Fatal(err)
	}
	for _, context := range strings.Fields(run(t, "kubectl", "config", "get-contexts", "--output=name")) {
		if name := strings.TrimPrefix(context, "kind-"); name == "hub" {
			w.hub = &cluster{name}
		} else {
			w.members = append(w.members, &cluster{name})
		}
	}
	if w.hub == nil || len(w.members) < 3 {
		t.Fatalf("%s has no hub with three members, but %v and %d", kubeconfig, w.hub, len(w.members))
	}
	for _, c := range w.clusters() {
		w.report.add("%s: %s", c.name, cmp.Or(c.kubectl(t, "get", "nodes", "--output=jsonpath={.items[*].status.nodeInfo.kubeletVersion} {.items[*].status.nodeInfo.containerRuntimeVersion}"), "?"))
	}
	return w
}

func (w *world) clusters() []*cluster { return append([]*cluster{w.hub}, w.members...) }

// member is the member of that name.
func (w *world) member(t *testing.T, name string) *cluster {
	t.Helper()
	i := slices.IndexFunc(w.members, func(c *cluster) bool { return c.name == name })
	if i < 0 {
		t.Fatalf("there is no member %s", name)
	}
	return w.members[i]
}

// but is all members without one.
func (w *world) but(member *cluster) []*cluster {
	return slices.DeleteFunc(slices.Clone(w.members), func(c *cluster) bool { return c == member })
}

// cluster is one on kind.
type cluster struct{ name string }

func (c *cluster) context() string { return "kind-" + c.name }

// node is the container that is the cluster's control plane.
func (c *cluster) node() string { return c.name + "-control-plane" }

// server is the address of its API server, as the other clusters' nodes and pods find it.
func (c *cluster) server() string { return "https://" + c.node() + ":6443" }

func (c *cluster) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, "kubectl", append([]string{"--context", c.context()}, args...)...)
}

// try is kubectl where an error is an answer, too.
func (c *cluster) try(args ...string) (string, error) {
	return try("kubectl", append([]string{"--context", c.context()}, args...)...)
}

// apply applies manifests, in which the namespace is given or the default one.
func (c *cluster) apply(t *testing.T, manifests string) {
	t.Helper()
	runWith(t, manifests, "kubectl", "--context", c.context(), "apply", "--filename=-")
}

// patience is how long anything may take. Nothing is held to a time: only a failure takes as long.
const patience = 3 * time.Minute
