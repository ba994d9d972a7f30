package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fanout/test/commands"
)

// documents types what the documentation tells people to type, as it stands there.
func documents(t *testing.T, w *world) {
	member := w.member(t, "eu-west-prod")
	kubeconfig := w.kubeconfigOfDocuments(t, member)
	for _, document := range commands.Documents {
		t.Run(filepath.Base(document), func(t *testing.T) {
			text, err := os.ReadFile(document)
			if err != nil {
				t.Fatal(err)
			}
			blocks, err := commands.In(string(text))
			if err != nil {
				t.Fatal(err)
			}
			w.empty(t)
			if !slices.ContainsFunc(blocks, func(b commands.Block) bool { return strings.Contains(b.Shell, "helm install fanout") }) {
				w.install(t, chart) // it speaks to somebody who has done that, and has a member
				if output, err := typed("fanout register "+member.name+" --member-context MEMBER", kubeconfig); err != nil {
					t.Fatalf("%v\n%s", err, output)
				}
			}
			for _, block := range blocks {
				where := fmt.Sprintf("%s, line %d", document, block.Line)
				eventually(t, where, func() error {
					output, err := typed(block.Shell, kubeconfig)
					switch {
					case block.Until == "" && err != nil:
						t.Fatalf("%s: %v\n%s\n%s", where, err, block.Shell, output)
					case !strings.Contains(output, block.Until):
						err = fmt.Errorf("it does not print %q, but\n%s", block.Until, output)
					}
					return err
				})
			}
		})
	}
	w.empty(t)
}

// typed runs commands as a person's shell would, except that the first that fails ends it.
func typed(shell, kubeconfig string) (string, error) {
	command := exec.Command("bash", "-e", "-o", "pipefail", "-c", shell)
	command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	output, err := command.CombinedOutput()
	return string(output), err
}

// kubeconfigOfDocuments has the contexts that the documents speak of: HUB, the current one, and MEMBER, with an address that is as good
// here as in the hub's pods.
func (w *world) kubeconfigOfDocuments(t *testing.T, member *cluster) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, []byte(run(t, "kubectl", "config", "view", "--raw")), 0o600); err != nil {
		t.Fatal(err)
	}
	config := func(args ...string) {
		run(t, "kubectl", append([]string{"config", "--kubeconfig", file}, args...)...)
	}
	config("rename-context", w.hub.context(), "HUB")
	config("rename-context", member.context(), "MEMBER")
	config("use-context", "HUB")
	config("set-cluster", member.context(), "--server", "https://"+strings.TrimSpace(member.address(t))+":6443")
	return file
}
