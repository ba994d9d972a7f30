// Package controlplane runs real Kubernetes API servers for tests and the demo: a Go face for hack/controlplane, which it
// builds where need be. The servers end with the process that started them, however it ends.
package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// Build builds the control plane binary and returns its path. The first time takes minutes, which out is told; after that it
// is a check of about a second, once in a process. Processes that build at once take turns.
func Build(ctx context.Context, out io.Writer) (string, error) {
	built.Lock()
	defer built.Unlock()
	if built.path != "" {
		return built.path, nil
	}
	path, err := build(ctx, out)
	built.path = path
	return path, err
}

var built struct {
	sync.Mutex
	path string
}

func build(ctx context.Context, out io.Writer) (string, error) {
	root, err := repoRoot()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(root, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(bin, ".controlplane.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close() // and with it the lock goes
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	binary := filepath.Join(bin, "controlplane")
	cmd := exec.CommandContext(ctx, filepath.Join(root, "hack", "controlplane", "build.sh"), binary)
	var said bytes.Buffer
	cmd.Stderr = io.MultiWriter(out, &said)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build control plane: %w\n%s", err, said.Bytes())
	}
	return binary, nil
}

// repoRoot is where this file was compiled from, or else, where paths were trimmed from the binary, what lies above the working
// directory.
func repoRoot() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	start := filepath.Dir(file)
	if !filepath.IsAbs(start) {
		var err error
		if start, err = os.Getwd(); err != nil {
			return "", err
		}
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "hack", "controlplane", "build.sh")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("hack/controlplane not found above " + start)
		}
	}
}
