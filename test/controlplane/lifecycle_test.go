package controlplane

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

func TestRestartKeepsDataAndAddress(t *testing.T) {
	member := shared.Cluster("member")
	create(t, member.Config, configMaps, "survivor")

	if err := shared.StopOne("member"); err != nil {
		t.Fatal(err)
	}
	get := func() error {
		_, err := client(t, member.Config).Resource(configMaps).Namespace("default").Get(t.Context(), "survivor", metav1.GetOptions{})
		return err
	}
	if err := get(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("stopped: %v, want connection refused", err)
	}
	if err := shared.StartOne(t.Context(), "member"); err != nil {
		t.Fatal(err)
	}
	if err := get(); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}

func TestStartOfABrokenClusterShowsItsLog(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "broken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "broken", "port"), []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: dir, Names: []string{"broken"}})
	if err == nil || !strings.Contains(err.Error(), `parsing "none"`) {
		t.Errorf("start: %v, want what the log says of the port", err)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &Set{clusters: map[string]*Cluster{"late": {Name: "late", binary: shared.Cluster("hub").binary, dir: t.TempDir()}}}
	cancel()
	if err := s.StartOne(ctx, "late"); !errors.Is(err, context.Canceled) {
		t.Errorf("start: %v, want context canceled", err)
	}
	if s.Cluster("late").process != nil {
		t.Error("the process is left running")
	}
}

func TestPausedClusterDoesNotAnswer(t *testing.T) {
	config := rest.CopyConfig(shared.Cluster("member").Config)
	config.Timeout = 300 * time.Millisecond
	list := func() error {
		_, err := client(t, config).Resource(configMaps).Namespace("default").List(t.Context(), metav1.ListOptions{Limit: 1})
		return err
	}
	if err := shared.Pause("member"); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if err := list(); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("paused: %v, want a timeout", err)
	}
	if err := shared.Resume("member"); err != nil {
		t.Fatal(err)
	}
	config.Timeout = time.Minute
	if err := list(); err != nil {
		t.Errorf("resumed: %v", err)
	}
}

// A process that starts a cluster and is killed: TestMain runs this in a process of its own.
const abandonIn = "CONTROLPLANE_TEST_ABANDON_IN"

func abandon(dir string) error {
	s, err := Start(context.Background(), Options{Dir: dir, Names: []string{"running", "paused"}})
	if err != nil {
		return err
	}
	if err := s.Pause("paused"); err != nil {
		return err
	}
	// Only what has stopped whole, all threads of it, is woken by the system when its parent ends.
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(s.Cluster("paused").process.pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		return fmt.Errorf("paused is not: %v, %w", status, err)
	}
	fmt.Println(s.Cluster("running").process.pid, s.Cluster("paused").process.pid)
	select {}
}

func TestClustersEndWithAKilledProcess(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), abandonIn+"="+t.TempDir())
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var running, paused int
	_, err = fmt.Fscan(bufio.NewReader(stdout), &running, &paused)
	if err := errors.Join(err, cmd.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for end := time.Now().Add(time.Minute); alive(running) || alive(paused); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("running is alive: %v; paused is alive: %v", alive(running), alive(paused))
		}
	}
}

func alive(pid int) bool {
	state, _ := exec.Command("ps", "-o", "stat=", "-p", fmt.Sprint(pid)).Output()
	return len(state) > 0 && !strings.HasPrefix(string(state), "Z")
}
