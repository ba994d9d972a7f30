// Command controlplane runs real Kubernetes control planes, each an etcd and a kube-apiserver of its own, for tests and
// demonstrations on one machine.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"fanout/hack/controlplane/plane"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
}

type streams struct {
	in       io.Reader
	out, err io.Writer
}

func run(ctx context.Context, args []string, s streams) error {
	root := &cobra.Command{
		Use:           "controlplane",
		Short:         "Real Kubernetes control planes on the loopback interface, for tests",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	var dir string
	root.PersistentFlags().StringVar(&dir, "dir", ".", "where control planes keep their data and kubeconfigs")
	root.AddCommand(startCommand(&dir, s), serveCommand(&dir, s), kubeconfigCommand(&dir, s))
	root.SetArgs(args)
	root.SetOut(s.out)
	root.SetErr(s.err)
	return root.ExecuteContext(ctx)
}

func kubeconfigCommand(dir *string, s streams) *cobra.Command {
	var user string
	var groups []string
	cmd := &cobra.Command{
		Use:   "kubeconfig NAME",
		Short: "Print a kubeconfig for a new identity",
		Long:  "Print a kubeconfig with a new client certificate. What its user and groups may do, RBAC says.",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := plane.New(*dir, args[0])
			if err != nil {
				return err
			}
			data, err := p.IssueKubeconfig(user, groups...)
			if err != nil {
				return err
			}
			_, err = s.out.Write(data)
			return err
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "name of the user (required)")
	cmd.Flags().StringSliceVar(&groups, "group", nil, "groups the user is in")
	if err := cmd.MarkFlagRequired("user"); err != nil {
		panic(err) // the flag is defined two lines above
	}
	return cmd
}

// stopWithInput returns a context that also ends when in does. The end of a pipe is the one sign of a parent's death that kill -9
// can't suppress and every system has.
func stopWithInput(ctx context.Context, in io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, in)
	}()
	return ctx, cancel
}
