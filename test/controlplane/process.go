package controlplane

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopTimeout is how long a control plane may take to stop before it is killed.
const stopTimeout = 10 * time.Second

// process is a running control plane. It ends when stdin is closed: by stop, or by the system at the end of this process.
type process struct {
	pid   int // also its process group's
	stdin io.Closer
	ended chan struct{} // closed when the process has ended, and err is set
	err   error
}

// start runs the control plane and waits until it is ready. Started already, it does nothing.
func (c *Cluster) start(ctx context.Context) (time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process != nil {
		return 0, nil
	}
	begin := time.Now()
	p, ready, err := c.spawn()
	if err != nil {
		return 0, err
	}
	c.process = p
	select {
	case <-ready:
	case <-p.ended:
		c.process = nil
		return 0, fmt.Errorf("%w; the end of %s:\n%s", p.err, c.LogFile(), lastLines(c.LogFile()))
	case <-ctx.Done():
		return 0, errors.Join(ctx.Err(), c.stopLocked())
	}
	kubeconfig, err := os.ReadFile(filepath.Join(c.dir, c.Name+".kubeconfig"))
	if err == nil && c.Config == nil {
		err = c.readKubeconfig(kubeconfig)
	}
	if err != nil {
		return 0, errors.Join(err, c.stopLocked())
	}
	return time.Since(begin), nil
}

// spawn starts the process. Ready is closed when it has said that it is.
func (c *Cluster) spawn() (p *process, ready <-chan struct{}, err error) {
	if err := os.MkdirAll(filepath.Dir(c.LogFile()), 0o700); err != nil {
		return nil, nil, err
	}
	log, err := os.OpenFile(c.LogFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	cmd := exec.Command(c.binary, "serve", "--stop-with-stdin", fmt.Sprintf("--complete=%t", c.complete), "--dir", c.dir, c.Name)
	cmd.Stderr = log
	cmd.Env = os.Environ()
	if !c.large {
		// Planes are what tests spend most of their CPU on, and a fifth of it is collecting garbage. The limit keeps each below half a gigabyte.
		cmd.Env = append(cmd.Env, "GOGC=300", "GOMEMLIMIT=450MiB")
	}
	// Out of reach of the terminal's Ctrl-C, which is for the tests or the demo to act on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	p = &process{pid: cmd.Process.Pid, stdin: stdin, ended: make(chan struct{})}
	said := make(chan struct{})
	go func() {
		lines := bufio.NewScanner(stdout)
		if lines.Scan() && strings.HasPrefix(lines.Text(), "ready ") {
			close(said)
		}
		_, _ = io.Copy(io.Discard, stdout)
		if p.err = cmd.Wait(); p.err == nil {
			p.err = errors.New("exited")
		}
		close(p.ended)
	}()
	return p, said, nil
}

// stop ends the process and waits for it.
func (c *Cluster) stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopLocked()
}

func (c *Cluster) stopLocked() error {
	p := c.process
	if p == nil {
		return nil
	}
	c.process = nil
	if err := p.stdin.Close(); err != nil {
		return err
	}
	_ = p.signal(syscall.SIGCONT) // it may be paused, or have ended
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopTimeout):
	}
	err := p.signal(syscall.SIGKILL)
	<-p.ended
	return errors.Join(fmt.Errorf("control plane %s had to be killed after %s", c.Name, stopTimeout), err)
}

// signal sends a signal to the running process and all it runs.
func (c *Cluster) signal(sig syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return fmt.Errorf("control plane %s is stopped", c.Name)
	}
	return c.process.signal(sig)
}

// awaitStopped returns when the process that was sent a SIGSTOP has stopped: on a busy machine its threads run on for a while.
func (c *Cluster) awaitStopped() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range 100 {
		state, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(c.process.pid)).Output()
		if errors.Is(err, exec.ErrNotFound) {
			return nil // it will have stopped by the time that it is asked for anything
		}
		if err != nil {
			return fmt.Errorf("ask for the state of control plane %s: %w", c.Name, err)
		}
		if strings.HasPrefix(strings.TrimSpace(string(state)), "T") {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("control plane %s does not pause", c.Name)
}

func (p *process) signal(sig syscall.Signal) error {
	select {
	case <-p.ended:
		return p.err // the pid may be another's by now
	default:
		return syscall.Kill(-p.pid, sig)
	}
}

// lastLines returns the end of a log, as much as explains a crash on one screen.
func lastLines(name string) string {
	const lines = 15
	data, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
