package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/component-base/version"
)

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			info := version.Get()
			_, err := fmt.Fprintf(command.OutOrStdout(), "fanout %s, commit %s, %s %s\n",
				info.GitVersion, info.GitCommit, info.GoVersion, info.Platform)
			return err
		},
	}
}

// userAgent is how fanout names itself to API servers.
func userAgent() string { return "fanout/" + version.Get().GitVersion }
