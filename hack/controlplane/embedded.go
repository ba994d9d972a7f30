//go:build !kubebuilder

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"

	"fanout/hack/controlplane/plane"
)

// shutdownTimeout bounds each wait for open requests. Watches have no end of their own, and a client of a test cluster has
// to live with a connection that breaks.
const shutdownTimeout = 300 * time.Millisecond

// runPlane runs etcd and kube-apiserver in this process until ctx ends or one of them fails. It changes the working directory and
// globals of both: one call per process.
func runPlane(ctx context.Context, p *plane.Plane, listener *net.TCPListener) error {
	if err := os.Chdir(p.Dir); err != nil {
		return err
	}
	etcd, err := startEtcd()
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer closeEtcd(etcd)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- runAPIServer(ctx, listener, p.Complete) }()
	select {
	case err := <-failed:
		return fmt.Errorf("kube-apiserver: %w", err)
	case err := <-etcd.Err():
		return fmt.Errorf("etcd: %w", err)
	case <-ctx.Done():
	}
	select {
	case <-failed:
	case <-time.After(shutdownTimeout):
	}
	return nil
}

// closeEtcd closes etcd, and leaves what is not closed after a moment to the end of the process: it waits for the API server's watches,
// for 5 seconds and more. What it has acknowledged is in its log by then.
func closeEtcd(etcd *embed.Etcd) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		etcd.Close()
	}()
	select {
	case <-closed:
	case <-time.After(shutdownTimeout):
	}
}

func startEtcd() (*embed.Etcd, error) {
	// Etcd allocates two segments ahead: 128 MB of disk for each plane, if it weren't for this.
	wal.SegmentSizeBytes = 4 << 20

	cfg := embed.NewConfig()
	flags := flag.NewFlagSet("etcd", flag.ContinueOnError)
	cfg.AddFlags(flags)
	if err := flags.Parse(plane.EtcdFlags()); err != nil {
		return nil, err
	}
	// AddFlags parses these, and leaves it to its caller to carry them over.
	cfg.LogOutputs = []string{"stderr"}
	client, err := url.Parse(plane.EtcdClientURL)
	if err != nil {
		return nil, err
	}
	peer, err := url.Parse(plane.EtcdPeerURL)
	if err != nil {
		return nil, err
	}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}

	etcd, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, err
	}
	<-etcd.Server.ReadyNotify()
	return etcd, nil
}

func runAPIServer(ctx context.Context, listener *net.TCPListener, complete bool) error {
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	opts := options.NewServerRunOptions()
	flags := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	named := opts.Flags()
	for _, set := range named.FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse(plane.APIServerFlags(complete)); err != nil {
		return err
	}
	opts.SecureServing.Listener = listener
	opts.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	if err := opts.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	completed, err := opts.Complete(ctx)
	if err != nil {
		return err
	}
	if errs := completed.Validate(); len(errs) != 0 {
		return errors.Join(errs...)
	}
	if err := app.Run(ctx, completed); err != nil {
		return err
	}
	return ctx.Err()
}
