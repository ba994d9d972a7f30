package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// guardCommand is the argument with which the demo runs itself to look after fanout.
const guardCommand = "guard"

// guard runs a program that must not outlive the demo. The demo holds the other end of its standard input, which the system
// closes however the demo ends; then the program is asked to stop.
func guard(command []string) int {
	program := exec.Command(command[0], command[1:]...)
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	if err := program.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = program.Process.Signal(syscall.SIGTERM)
	}()
	if err := program.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is a running fanout.
type process struct {
	log   string
	group int
	stdin io.Closer
	ended chan struct{} // closed when it has ended, and err is set
	err   error
}

// stopTimeout is longer than fanout gives itself to stop.
const stopTimeout = 20 * time.Second

func start(log string, command ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(self, append([]string{guardCommand}, command...)...)
	cmd.Stdout, cmd.Stderr = out, out
	// Out of reach of the terminal's Ctrl-C: the demo stops it, before the control planes.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{log: log, group: cmd.Process.Pid, stdin: stdin, ended: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop ends fanout as a cluster would, and returns an error unless it ends well and in time.
func (p *process) stop() error {
	if err := p.stdin.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		_ = syscall.Kill(-p.group, syscall.SIGKILL)
		<-p.ended
		return fmt.Errorf("fanout had to be killed after %s; the end of its log:\n%s", stopTimeout, p.lastLines())
	}
	if p.err != nil {
		return fmt.Errorf("fanout ended badly: %w; the end of its log:\n%s", p.err, p.lastLines())
	}
	return nil
}

// tells finds in the log at which address fanout tells what it knows. It says so before it connects to members.
func (p *process) tells() (address string, err error) {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return "", err
	}
	found := tellsAt.FindSubmatch(log)
	if found == nil {
		return "", errors.New("fanout does not say at which address it tells what it knows")
	}
	return "http://" + string(found[1]), nil
}

var tellsAt = regexp.MustCompile(`"Serving /api/v1/ and the page" address="([^"]+)"`)

// lastLines are the end of its log.
func (p *process) lastLines() string {
	const lines = 25
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
