// Package charts holds the tests of what is in charts/: rendered by the real helm, given to a real API server. It is a module of
// its own, since it parses PromQL as Prometheus does, which fanout has no need of.
//
//	make test-charts
package charts

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fanout/test/controlplane"
	"fanout/test/fixture"
)

const (
	root   = "../.."
	chart  = root + "/charts/fanout"
	system = "fanout-system"
)

var planes *controlplane.Set

func TestMain(m *testing.M) {
	os.Exit(controlplane.ForMainWith(m, &planes, controlplane.Options{Names: []string{"hub", "member"}, Complete: true}))
}

// helm runs bin/helm with a home of its own and values, as YAML, and returns what it prints.
func helm(t testing.TB, values string, args ...string) (stdout string, err error) {
	t.Helper()
	home := t.TempDir()
	binary, err := filepath.Abs(root + "/bin/helm")
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(binary); err != nil {
		return "", fmt.Errorf("%w; type: make helm", err)
	}
	command := exec.CommandContext(t.Context(), binary, args...)
	command.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	command.Stdin = strings.NewReader(values)
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("helm %s: %w\n%s%s", args[0], err, out.Bytes(), complaints.Bytes())
	}
	return out.String(), nil
}

func hub(t testing.TB) *fixture.Cluster {
	t.Helper()
	return fixture.In(t, planes, "hub")
}
