package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// checker runs the stand-in for canary-checker, with the rights that it needs.
//
//go:embed checker.yaml
var checker []byte

// crd is the file with canary-checker's CRD: what CANARY_CRD names, its own where that lies beside the clone, or the demo's.
func (s *stage) crd() string {
	if file := os.Getenv("CANARY_CRD"); file != "" {
		return file
	}
	upstream := filepath.Join(s.root, "..", "shared", "upstream", "Canary.crd.yaml")
	if _, err := os.Stat(upstream); err == nil {
		return upstream
	}
	return filepath.Join(s.root, "hack", "demo", "canary-crd.yaml")
}

// installChecker gives a cluster what canary-checker would: the CRD, and somebody who runs the checks.
func (s *stage) installChecker(name string) error {
	s.say("%s: installing canary-checker's CRD and a stand-in for it", name)
	// By the server, since the CRD doesn't fit into kubectl's annotation.
	if err := s.kubectl(name, "apply", "--server-side", "--force-conflicts", "--filename", s.crd()); err != nil {
		return err
	}
	// The condition Established is not enough: for a moment after it, requests are still answered with 404.
	if err := s.until(func() error { return s.kubectl(name, "get", "canaries", "--all-namespaces") }); err != nil {
		return err
	}
	apply := exec.CommandContext(s.ctx, "kubectl", "--kubeconfig", s.kubeconfig(), "--context", "kind-"+name, "apply", "--filename", "-")
	apply.Stdin = bytes.NewReader(checker)
	if output, err := apply.CombinedOutput(); err != nil {
		return fmt.Errorf("install the stand-in for canary-checker in %s: %w\n%s", name, err, output)
	}
	return s.kubectl(name, "--namespace", "canary-checker", "rollout", "status", "deployment/canarychecker", "--timeout", ready.String())
}

// chart is the folder of fanout's chart.
func (s *stage) chart() string { return filepath.Join(s.root, "charts", "fanout") }

// chartImage is the image that the chart runs unless it is told otherwise.
func (s *stage) chartImage() (string, error) {
	text, err := os.ReadFile(filepath.Join(s.chart(), "Chart.yaml"))
	if err != nil {
		return "", err
	}
	var chart struct {
		AppVersion string `yaml:"appVersion"`
	}
	if err := yaml.Unmarshal(text, &chart); err != nil {
		return "", fmt.Errorf("read the chart's version: %w", err)
	}
	return "fanout:" + chart.AppVersion, nil
}

// install brings fanout into the hub, and registers the members at the address by which the hub's node knows theirs.
func (s *stage) install() error {
	s.say("hub: installing the chart")
	if err := s.do(s.helm, "--kube-context", "kind-hub", "upgrade", "--install", "fanout", s.chart(),
		"--namespace", "fanout-system", "--create-namespace", "--wait", "--timeout", ready.String()); err != nil {
		return err
	}
	for _, member := range s.members {
		s.say("%s: registering it", member)
		if err := s.do(filepath.Join("bin", "fanout"), "register", member, "--context", "kind-hub",
			"--member-kubeconfig", s.kubeconfig(), "--member-context", "kind-"+member,
			"--server", fmt.Sprintf("https://%s-control-plane:6443", member)); err != nil {
			return err
		}
	}
	return nil
}
