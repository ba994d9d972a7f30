// Package test runs the built binary. It lies beside package main, not in it, so that go test doesn't compile kube-apiserver
// once more for the race detector.
package test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
)

func TestPlanesAreIsolatedAndKeepTheirData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir, "a", "b")
	created := s.do("a", http.MethodPost, "/api/v1/namespaces/default/configmaps", `{"metadata":{"name":"x"}}`)
	if created != http.StatusCreated {
		t.Fatalf("create: %d", created)
	}
	if got := s.do("b", http.MethodGet, "/api/v1/namespaces/default/configmaps/x", ""); got != http.StatusNotFound {
		t.Errorf("the other plane's answer: %d, want 404", got)
	}
	before := s.kubeconfigs()
	s.signal(syscall.SIGINT)
	if err := s.wait(); err != nil {
		t.Errorf("interrupted: %v, want exit 0\n%s", err, s.stderr())
	}
	s.nothingIsLeft()

	s = start(t, dir, "a", "b")
	if got := s.do("a", http.MethodGet, "/api/v1/namespaces/default/configmaps/x", ""); got != http.StatusOK {
		t.Errorf("after a restart: %d, want 200", got)
	}
	if after := s.kubeconfigs(); after != before {
		t.Errorf("kubeconfigs have changed from\n%s\nto\n%s", before, after)
	}
	s.closeStdin()
	if err := s.wait(); err != nil {
		t.Errorf("stdin closed: %v, want exit 0\n%s", err, s.stderr())
	}
	s.nothingIsLeft()
}

func TestCtrlCReachesTheWholeProcessGroup(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "a")
	s.signalGroup(syscall.SIGINT)
	if err := s.wait(); err != nil {
		t.Errorf("%v, want exit 0\n%s", err, s.stderr())
	}
	s.nothingIsLeft()
}

func TestKilledSupervisorLeavesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "a", "b")
	s.signal(syscall.SIGKILL)
	_ = s.wait()
	s.nothingIsLeft()
}

func TestOneDeathEndsAll(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "a", "b")
	s.kill("b")
	err := s.wait()
	if err == nil || err.Error() != "exit status 1" {
		t.Errorf("%v, want exit status 1", err)
	}
	for _, want := range []string{"b: signal: killed", "the end of", ".go:"} {
		if !strings.Contains(s.stderr(), want) {
			t.Errorf("want %q in what it says:\n%s", want, s.stderr())
		}
	}
	s.nothingIsLeft()
}

func TestAPlaneThatRunsCantBeStartedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, dir, "a")
	second := spawn(t, dir, "a")
	if err := second.wait(); err == nil {
		t.Error("the second supervisor exits with 0")
	}
	if want := "is a running already?"; !strings.Contains(second.stderr(), want) {
		t.Errorf("want %q in what it says:\n%s", want, second.stderr())
	}
}
