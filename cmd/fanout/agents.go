package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"fanout/pkg/api"
	"fanout/pkg/show"
)

func newAgentsCommand() *cobra.Command {
	ask, output, selector := newAskFlags(), &outputFlags{}, ""
	command := &cobra.Command{
		Use:   "agents [NAME...]",
		Short: "Show the agents: whether they can be reached, and what runs there",
		Long: `Show the agents, a line each: the state and since when it has been in it, the version of its API server, how many Canaries select it, how
many of these are in sync and how many fail, and how long its credential still lasts. One that is being deregistered is Leaving until its
member is clean.

` + asksController + ` Without it shows what the parents' statuses and the Secrets say, and says so.

Exit codes: 0 shown, 1 failed, or there is no agent of a name that was given, 2 a fault of the command line.`,
		Example: `  fanout agents
  fanout agents -l tier=prod -o wide     # with labels, and what is wrong
  fanout agents eu-west-prod --watch
  fanout agents -o custom-columns=NAME:.name,ENDS:.credentialExpires`,
		RunE: func(command *cobra.Command, names []string) error {
			matching, err := parseLabels(command, selector)
			if err != nil {
				return err
			}
			return output.print(command, ask, func(ctx context.Context, source *asked) (*show.View, error) {
				agents, err := source.Agents(ctx)
				if err != nil {
					return nil, err
				}
				for _, name := range names {
					if !slices.ContainsFunc(agents.Items, func(a api.Agent) bool { return a.Name == name }) {
						return nil, fmt.Errorf("there is no agent %q%s", name, similar(name, agents.Items))
					}
				}
				agents.Items = slices.DeleteFunc(agents.Items, func(a api.Agent) bool {
					return len(names) > 0 && !slices.Contains(names, a.Name) || !matching.Matches(labels.Set(a.Labels))
				})
				return show.Agents(agents), nil
			})
		},
		ValidArgsFunction: func(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return ask.completeAgents(command, args), cobra.ShellCompDirectiveNoFileComp
		},
	}
	ask.addTo(command.Flags())
	output.addTo(command.Flags(), true)
	command.Flags().StringVarP(&selector, "selector", "l", "", "Only agents with these labels, such as tier=prod,region in (eu,us).")
	return command
}

// similar names an agent that may have been meant.
func similar(name string, agents []api.Agent) string {
	command := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, agent := range agents {
		command.AddCommand(&cobra.Command{Use: agent.Name, Run: func(*cobra.Command, []string) {}})
	}
	if found := command.SuggestionsFor(name); len(found) > 0 {
		return fmt.Sprintf("; did you mean %s?", found[0])
	}
	return ""
}
