package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"fanout/pkg/selector"
	"fanout/pkg/show"
)

func newMatchCommand() *cobra.Command {
	ask, output, all := newAskFlags(), &outputFlags{}, false
	command := &cobra.Command{
		Use:   "match ENTRY...",
		Short: "Show which agents an agentSelector selects, before you write it",
		Long: `Show which agents a list of entries of an agentSelector selects, and by which entry. An entry is a name, a pattern over names or a label
selector, and with ! before it an exclusion; docs/behaviour.md has the rules.

Exit codes: 0 shown, also where no agent matches, 1 failed, or an entry does not parse, 2 a fault of the command line.`,
		Example: `  fanout match '*-prod' '!us-*'
  fanout match 'tier=prod,region in (eu,us)' --all     # … and why the others are not selected`,
		Args: func(command *cobra.Command, args []string) error {
			if len(args) > 0 {
				return nil
			}
			return &usageError{command: command.CommandPath(), err: errors.New("say at least one entry, such as '*-prod'")}
		},
		RunE: func(command *cobra.Command, patterns []string) error {
			entries, err := selector.NewExplainer(patterns)
			if err != nil {
				return err
			}
			return output.print(command, ask, func(ctx context.Context, source *asked) (*show.View, error) {
				agents, err := source.Agents(ctx)
				if err != nil {
					return nil, err
				}
				return show.MatchesOf(agents, patterns, entries, all), nil
			})
		},
		ValidArgsFunction: func(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return ask.completeAgents(command, args), cobra.ShellCompDirectiveNoFileComp
		},
	}
	ask.addTo(command.Flags())
	output.addTo(command.Flags(), true)
	command.Flags().BoolVar(&all, "all", false, "Show the agents that are not selected, too, and which entry excludes them.")
	return command
}
