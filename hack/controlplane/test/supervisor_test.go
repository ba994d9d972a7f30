package test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"net/http"

	"fanout/hack/controlplane/plane"
)

const deadline = time.Minute

var build = sync.OnceValues(func() (string, error) {
	binary, err := filepath.Abs(filepath.Join("..", "..", "..", "bin", "controlplane"))
	if err != nil {
		return "", err
	}
	cmd := exec.Command("../build.sh", binary)
	cmd.Stderr = os.Stderr
	return binary, cmd.Run()
})

// supervisor is a running "controlplane start".
type supervisor struct {
	t      *testing.T
	dir    string
	names  []string
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout *bufio.Reader
	err    bytes.Buffer
	pids   []int // of all its descendants, once it is ready
	ended  func() error
}

// start returns when all planes are ready. What is left of them at the end of the test is killed.
func start(t *testing.T, dir string, names ...string) *supervisor {
	t.Helper()
	s := spawn(t, dir, names...)
	ready := map[string]bool{}
	for range names {
		line, err := s.stdout.ReadString('\n')
		if err != nil {
			_ = s.wait()
			t.Fatalf("%v; it says:\n%s", err, s.stderr())
		}
		ready[strings.TrimSpace(line)] = true
	}
	for _, name := range names {
		if want := "ready " + name + " " + s.plane(name).Kubeconfig; !ready[want] {
			t.Errorf("no line %q in %v", want, ready)
		}
	}
	s.pids = descendants(t, s.cmd.Process.Pid)
	if len(s.pids) < len(names) {
		t.Errorf("%d processes for %d planes", len(s.pids), len(names))
	}
	return s
}

func spawn(t *testing.T, dir string, names ...string) *supervisor {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	s := &supervisor{t: t, dir: dir, names: names}
	s.cmd = exec.Command(binary, append([]string{"start", "--stop-with-stdin", "--dir", dir}, names...)...)
	s.cmd.Stderr = &s.err
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, out, err := os.Pipe() // not StdoutPipe, which Wait would close under the reader
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stdout, s.stdout = out, bufio.NewReader(stdout)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.Close()
	s.ended = sync.OnceValue(s.cmd.Wait)
	t.Cleanup(func() {
		s.closeStdin()
		_ = s.wait()
		stdout.Close()
	})
	return s
}

// wait returns how the supervisor ended.
func (s *supervisor) wait() error {
	s.t.Helper()
	timer := time.AfterFunc(deadline, func() { _ = s.cmd.Process.Kill() })
	defer timer.Stop()
	return s.ended()
}

func (s *supervisor) stderr() string { return s.err.String() }

func (s *supervisor) closeStdin() { _ = s.stdin.Close() }

func (s *supervisor) signal(sig syscall.Signal) { s.send(s.cmd.Process.Pid, sig) }

func (s *supervisor) signalGroup(sig syscall.Signal) { s.send(-s.cmd.Process.Pid, sig) }

func (s *supervisor) send(pid int, sig syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		s.t.Fatal(err)
	}
}

// kill kills the child that serves the plane.
func (s *supervisor) kill(name string) {
	s.t.Helper()
	for _, pid := range s.pids {
		args, _ := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
		if line := strings.TrimSpace(string(args)); strings.Contains(line, " serve ") && strings.HasSuffix(line, " "+name) {
			s.send(pid, syscall.SIGKILL)
			return
		}
	}
	s.t.Fatalf("no process of %s among %v", name, s.pids)
}

// nothingIsLeft waits until no process of the planes exists any more.
func (s *supervisor) nothingIsLeft() {
	s.t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		alive := 0
		for _, pid := range s.pids {
			if syscall.Kill(pid, 0) == nil && !zombie(pid) {
				alive++
			}
		}
		if alive == 0 {
			return
		}
	}
	s.t.Errorf("of %v, some are alive", s.pids)
}

// zombie tells a process that has ended, but whose new parent hasn't noticed: in a container, init may never.
func zombie(pid int) bool {
	state, _ := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

func descendants(t *testing.T, pid int) []int {
	t.Helper()
	out, _ := exec.Command("pgrep", "-P", strconv.Itoa(pid)).Output() // exits with 1 where there are none
	var all []int
	for field := range strings.FieldsSeq(string(out)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		all = append(append(all, child), descendants(t, child)...)
	}
	return all
}

func (s *supervisor) plane(name string) *plane.Plane {
	s.t.Helper()
	p, err := plane.New(s.dir, name)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *supervisor) kubeconfigs() string {
	s.t.Helper()
	var all strings.Builder
	for _, name := range s.names {
		data, err := os.ReadFile(s.plane(name).Kubeconfig)
		if err != nil {
			s.t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

// do sends a request to the plane's API server and returns the status code.
func (s *supervisor) do(name, method, path, body string) int {
	s.t.Helper()
	p := s.plane(name)
	client, err := p.Client()
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	server, err := p.Server()
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequest(method, server+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
