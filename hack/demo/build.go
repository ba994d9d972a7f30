package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// repoRoot is the directory of the module that the demo is run in.
func repoRoot(ctx context.Context) (string, error) {
	module, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	root, ok := strings.CutPrefix(strings.TrimSpace(string(module)), "fanout ")
	if err != nil || !ok {
		return "", errors.New("run the demo in fanout's repository: go run ./hack/demo")
	}
	return root, nil
}

// build makes bin/fanout, or finds that it is up to date.
func build(ctx context.Context, root, binary string, out io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "./cmd/fanout")
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build fanout: %w", err)
	}
	return nil
}

// crdFile is the demo's own CRD, unless CANARY_CRD names canary-checker's.
func crdFile(root string) string {
	if file := os.Getenv("CANARY_CRD"); file != "" {
		return file
	}
	return filepath.Join(root, "hack", "demo", "canary-crd.yaml")
}
