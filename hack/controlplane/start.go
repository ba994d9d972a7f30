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
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"fanout/hack/controlplane/plane"
)

// stopTimeout is how long a child may take to stop before it is killed.
const stopTimeout = 10 * time.Second

func startCommand(dir *string, s streams) *cobra.Command {
	var withStdin bool
	cmd := &cobra.Command{
		Use:   "start NAME...",
		Short: "Run control planes until interrupted",
		Long: `Run control planes until interrupted. Each keeps its data in DIR/NAME and has its kubeconfig in DIR/NAME.kubeconfig.
For each that is ready, one line goes to standard output: ready NAME KUBECONFIG.
Started again, it has the data, the certificates and the port that it had.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if withStdin {
				var cancel context.CancelFunc
				ctx, cancel = stopWithInput(ctx, s.in)
				defer cancel()
			}
			return start(ctx, *dir, args, s)
		},
	}
	addStopFlag(cmd, &withStdin)
	return cmd
}

func addStopFlag(cmd *cobra.Command, withStdin *bool) {
	cmd.Flags().BoolVar(withStdin, "stop-with-stdin", false, "stop when standard input ends, as it does when the parent dies")
}

// start runs a child for each plane, since kube-apiserver keeps too much in globals for two in one process. It returns when all
// have stopped: nil when ctx ended, and an error when a child stopped by itself, which stops the others.
func start(ctx context.Context, dir string, names []string, s streams) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, name := range names {
		p, err := plane.New(dir, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.err, "%s: starting, log in %s\n", name, logFile(p))
		group.Go(func() error { return supervise(ctx, exe, p, s) })
	}
	return group.Wait()
}

func supervise(ctx context.Context, exe string, p *plane.Plane, s streams) error {
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(logFile(p), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()

	cmd := exec.CommandContext(ctx, exe, "serve", "--stop-with-stdin", "--dir", filepath.Dir(p.Dir), p.Name)
	cmd.Stdout, cmd.Stderr = s.out, log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Cancel, cmd.WaitDelay = stdin.Close, stopTimeout
	// A group of its own: Ctrl-C reaches the supervisor alone, which then stops the children in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = cmd.Wait()
	// What the child ran may outlive a child that crashed.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = errors.New("exited")
	}
	return fmt.Errorf("%s: %w; the end of %s:\n%s", p.Name, err, logFile(p), tail(logFile(p)))
}

func logFile(p *plane.Plane) string {
	return filepath.Join(p.Dir, "apiserver.log")
}

// tail returns the last lines of a log, as many as explain a crash on one screen.
func tail(name string) string {
	const size, lines = 8 << 10, 15
	f, err := os.Open(name)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > size {
		_, _ = f.Seek(-size, io.SeekEnd)
	}
	data, _ := io.ReadAll(f)
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
