package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"fanout/hack/controlplane/plane"
)

func serveCommand(dir *string, s streams) *cobra.Command {
	var withStdin, complete bool
	cmd := &cobra.Command{
		Use:   "serve NAME",
		Short: "Run one control plane in this process, logging to standard error",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := plane.New(*dir, args[0])
			if err != nil {
				return err
			}
			p.Complete = complete
			ctx := cmd.Context()
			if withStdin {
				var cancel context.CancelFunc
				ctx, cancel = stopWithInput(ctx, s.in)
				defer cancel()
			}
			return serve(ctx, p, s.out)
		},
	}
	addStopFlag(cmd, &withStdin)
	cmd.Flags().BoolVar(&complete, "complete", false, "serve workloads as well, and admit them as a cluster does (Pod Security and the like)")
	return cmd
}

// serve runs the plane until ctx ends, and prints the line that says it is ready.
func serve(ctx context.Context, p *plane.Plane, out io.Writer) error {
	if err := p.Prepare(); err != nil {
		return err
	}
	listener, err := p.Listen()
	if err != nil {
		return err
	}
	if err := p.WriteKubeconfig(); err != nil {
		return err
	}

	// Half of what a start takes is garbage. It is collected once, at its end, and given back at once, so that a start is fast and
	// more planes fit on a machine.
	percent := debug.SetGCPercent(-1)
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := runPlane(running, p, listener)
		return errors.Join(errors.New("stopped by itself"), err)
	})
	group.Go(func() error {
		if err := waitReady(running, p); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, "ready", p.Name, p.Kubeconfig); err != nil {
			return err
		}
		debug.SetGCPercent(percent)
		debug.FreeOSMemory()
		return nil
	})
	err = group.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// waitReady returns nil when the API server says it is ready and has made the namespaces that every cluster has, and an error
// when ctx ended before.
func waitReady(ctx context.Context, p *plane.Plane) error {
	client, err := p.Client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	server, err := p.Server()
	if err != nil {
		return err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for _, path := range []string{"/readyz", "/api/v1/namespaces/default", "/api/v1/namespaces/kube-system"} {
		for !answers(ctx, client, server+path) {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
		}
	}
	return nil
}

func answers(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusOK
}
