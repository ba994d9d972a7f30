// Command fanout distributes Canaries from a hub cluster to its members. See fanout controller --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes, those of the Kubernetes components.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the command with its streams; it returns the exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	command := newCommand()
	command.SetArgs(args)
	command.SetOut(out)
	command.SetErr(errOut)
	err := command.ExecuteContext(ctx)
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(errOut, "fanout: %v\nSee '%s --help'.\n", err, usage.command)
		return exitUsage
	default:
		fmt.Fprintf(errOut, "fanout: %v\n", err)
		return exitFailure
	}
}

// usageError is a fault of the command line.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "fanout",
		Short:         "Distribute Canaries from a hub cluster to its members",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return command.Help()
		},
	}
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		return &usageError{command: command.CommandPath(), err: err}
	})
	root.AddCommand(newControllerCommand(), newReleaseCommand(), newVersionCommand())
	return root
}

func noArguments(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{command: command.CommandPath(), err: fmt.Errorf("unknown argument %q", args[0])}
}
