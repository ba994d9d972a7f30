// Command fanout distributes Canaries from a hub cluster to its members. See fanout controller --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"fanout/pkg/register"
	"fanout/pkg/show"
)

// Exit codes. The first two are those of the Kubernetes components.
const (
	exitFailure      = 1
	exitUsage        = 2
	exitNotConfirmed = 3 // of register and deregister
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, filepath.Base(os.Args[0]), os.Args[1:], os.Stdout, os.Stderr))
}

// run is the command, called by the name of its file, with its streams; it returns the exit code.
func run(ctx context.Context, file string, args []string, out, errOut io.Writer) int {
	command := newCommand()
	if strings.TrimSuffix(file, ".exe") == "kubectl-fanout" {
		command.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl fanout"}
	}
	command.SetArgs(args)
	out, errOut = show.Clean(out), show.Clean(errOut)
	command.SetOut(out)
	command.SetErr(errOut)
	err := command.ExecuteContext(ctx)
	var usage *usageError
	var exit *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.err != nil {
			fmt.Fprintf(errOut, "fanout: %v\n", exit.err)
		}
		return exit.code
	case errors.As(err, &usage):
		fmt.Fprintf(errOut, "fanout: %v\nSee '%s --help'.\n", err, usage.command)
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintf(errOut, "fanout: interrupted (%v): the same command again goes on from there\n", err)
		return exitFailure
	case errors.Is(err, register.ErrNotConfirmed):
		fmt.Fprintf(errOut, "fanout: %v\n", err)
		return exitNotConfirmed
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

// exitError ends with a code of its own. Without an err all has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return fmt.Sprint(e.err) }
func (e *exitError) Unwrap() error { return e.err }

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "fanout",
		Short:         "Distribute Canaries from a hub cluster to its members",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE: func(command *cobra.Command, _ []string) error {
			return command.Help()
		},
	}
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		return &usageError{command: command.CommandPath(), err: err}
	})
	for _, group := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"see", "See how it fares:", []*cobra.Command{newGetCommand(), newAgentsCommand(), newWhyCommand(), newUICommand(), newMatchCommand(), newPreviewCommand()}},
		{"members", "Members:", []*cobra.Command{newRegisterCommand(), newDeregisterCommand()}},
		{"install", "Install and run:", []*cobra.Command{newCheckCommand(), newReleaseCommand(), newControllerCommand(), newVersionCommand()}},
	} {
		root.AddGroup(&cobra.Group{ID: group.id, Title: group.title})
		for _, command := range group.commands {
			command.GroupID = group.id
			root.AddCommand(command)
		}
	}
	cobra.EnableCommandSorting = false
	return root
}

// knownCommand suggests a command for one that there is not.
func knownCommand(command *cobra.Command, args []string) error {
	err := noArguments(command, args)
	if err == nil {
		return nil
	}
	command.SuggestionsMinimumDistance = 2
	unknown := fmt.Sprintf("there is no command %q", args[0])
	if similar := command.SuggestionsFor(args[0]); len(similar) > 0 {
		unknown += fmt.Sprintf("; did you mean %s %s?", command.CommandPath(), similar[0])
	}
	return &usageError{command: command.CommandPath(), err: errors.New(unknown)}
}

func noArguments(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{command: command.CommandPath(), err: fmt.Errorf("unknown argument %q", args[0])}
}
