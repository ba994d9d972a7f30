package e2e

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"fanout/docs/manifests"
)

// rights compares what the credential that register made may do with what is documented.
func rights(t *testing.T, w *world) {
	for _, member := range w.members {
		granted := member.mayDo(t, w.credential(t, member))
		nothing := member.mayDo(t, "", "--as=system:serviceaccount:default:default", "--as-group=system:serviceaccounts", "--as-group=system:authenticated")
		granted = slices.DeleteFunc(granted, func(line string) bool { return slices.Contains(nothing, line) })
		if want := documentedRights(t); !slices.Equal(granted, want) {
			t.Errorf("in %s fanout may:\n%s\nand it is documented that it may:\n%s", member.name, strings.Join(granted, "\n"), strings.Join(want, "\n"))
		}
	}
}

// credential is a kubeconfig file with what the hub holds of a member.
func (w *world) credential(t *testing.T, member *cluster) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(w.hub.kubectl(t, "--namespace", namespace, "get", "secret", member.name, "--output=jsonpath={.data.kubeconfig}"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), member.name)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// mayDo lists rights as kubectl does, a line each: for the credential in a kubeconfig file, or with "" for whom the arguments say.
func (c *cluster) mayDo(t *testing.T, kubeconfig string, as ...string) []string {
	t.Helper()
	args := append([]string{"auth", "can-i", "--list", "--no-headers"}, as...)
	if kubeconfig == "" {
		args = append(args, "--context", c.context())
	} else { // which has the address for the hub's pods, and this is not one of them
		here := run(t, "kubectl", "config", "view", "--output", fmt.Sprintf(`jsonpath={.clusters[?(@.name=="%s")].cluster.server}`, c.context()))
		args = append(args, "--kubeconfig", kubeconfig, "--server", here)
	}
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(run(t, "kubectl", args...)), "\n") {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	slices.Sort(lines)
	return lines
}

// documentedRights are those of docs/manifests/member.yaml, as kubectl lists them.
func documentedRights(t *testing.T) []string {
	t.Helper()
	var lines []string
	for _, object := range manifests.Member() {
		if object.GetKind() != "ClusterRole" {
			continue
		}
		role := &rbacv1.ClusterRole{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, role); err != nil {
			t.Fatal(err)
		}
		for _, rule := range role.Rules {
			for _, resource := range rule.Resources {
				if group := rule.APIGroups[0]; group != "" {
					resource += "." + group
				}
				lines = append(lines, fmt.Sprintf("%s [] %v %v", resource, rule.ResourceNames, rule.Verbs))
			}
		}
	}
	slices.Sort(lines)
	return lines
}
