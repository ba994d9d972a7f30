//go:build kubebuilder

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"fanout/hack/controlplane/plane"
)

// runPlane runs the etcd and the kube-apiserver that KUBEBUILDER_ASSETS holds until ctx ends or one of them stops.
func runPlane(ctx context.Context, p *plane.Plane, listener *net.TCPListener) error {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		return errors.New("built to run the executables in KUBEBUILDER_ASSETS, which is not set")
	}
	// An executable can't be handed a listener. The port lies where nobody else is given one by chance.
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return err
	}
	etcdFlags := append(plane.EtcdFlags(),
		"--listen-client-urls="+plane.EtcdClientURL, "--advertise-client-urls="+plane.EtcdClientURL,
		"--listen-peer-urls="+plane.EtcdPeerURL, "--initial-advertise-peer-urls="+plane.EtcdPeerURL,
		"--log-outputs=stderr")
	serverFlags := append(plane.APIServerFlags(p.Complete), "--secure-port="+strconv.Itoa(port))

	// The API server goes first, so that it doesn't complain of the etcd it has lost.
	etcdCtx, stopEtcd := context.WithCancel(context.WithoutCancel(ctx))
	defer stopEtcd()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return runExecutable(etcdCtx, p.Dir, filepath.Join(assets, "etcd"), etcdFlags, 5*time.Second)
	})
	group.Go(func() error {
		defer stopEtcd()
		return runExecutable(ctx, p.Dir, filepath.Join(assets, "kube-apiserver"), serverFlags, time.Second)
	})
	return group.Wait()
}

// runExecutable asks the process to stop when ctx ends, and kills it after patience.
func runExecutable(ctx context.Context, dir, exe string, flags []string, patience time.Duration) error {
	cmd := exec.CommandContext(ctx, exe, flags...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(exe), err)
	}
	return fmt.Errorf("%s: stopped", filepath.Base(exe))
}
