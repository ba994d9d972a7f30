package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/api"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/show"
	"fanout/pkg/why"
)

func newWhyCommand() *cobra.Command {
	ask, output := newAskFlags(), &outputFlags{}
	command := &cobra.Command{
		Use:   "why CANARY AGENT",
		Short: "Explain how a Canary fares on an agent, and what to do",
		Long: `Explain how a Canary fares on an agent, step by step: what its agentSelector makes of the agent, whether the agent is registered, takes
Canaries from this namespace and can be reached, whether it holds the copy as the Canary asks or why not, and how the check fares there.
A step is ✓ as it should be, ✗ not so, or ? not known; the last line says what to do about the first that is not.

Exit codes: 0 explained, whatever came out, 1 failed, 2 a fault of the command line.`,
		Example: `  fanout why api-health eu-west-prod -n payments
  fanout why api-health local -o json`,
		Args: func(command *cobra.Command, args []string) error {
			if len(args) < 2 {
				return &usageError{command: command.CommandPath(), err: errors.New("say a Canary and an agent")}
			}
			return noArguments(command, args[2:])
		},
		RunE: func(command *cobra.Command, args []string) error {
			return output.print(command, ask, func(ctx context.Context, source *asked) (*show.View, error) {
				asked, err := askWhy(ctx, source, ask, args[0], args[1])
				if err != nil {
					return nil, err
				}
				return show.Chain(why.Explain(asked)), nil
			})
		},
		ValidArgsFunction: func(command *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				names = ask.completeCanaries(command)
			case 1:
				names = ask.completeAgents(command, nil)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	ask.addTo(command.Flags())
	ask.addNamespaceTo(command.Flags())
	output.addTo(command.Flags(), false)
	return command
}

// askWhy asks for all that the explanation takes.
func askWhy(ctx context.Context, source *asked, ask *askFlags, name, agent string) (why.Asked, error) {
	a := why.Asked{Namespace: ask.canaries(), Name: name, Agent: agent, SecretsIn: ask.hub.clusterNamespace}
	agents, err := source.Agents(ctx)
	if err != nil {
		return a, err
	}
	a.Agents, a.Teller = agents.Items, agents.Teller
	one, err := source.Canary(ctx, a.Namespace, name)
	switch {
	case errors.Is(err, api.ErrNotFound):
		a.Absent = fmt.Sprintf("the hub has no Canary %s/%s with an agentSelector", a.Namespace, name)
	case err != nil:
		return a, err
	default:
		a.Canary = &one.Canary
	}
	// Also where nothing is asked for: what stands there then is to be pruned.
	if !slices.ContainsFunc(one.Canary.Copies, func(c api.Copy) bool { return c.Agent == agent && c.Away != nil }) {
		place := derive.Place(types.NamespacedName{Namespace: a.Namespace, Name: name}, agent)
		if found, err := source.Find(ctx, agent, place.Namespace, place.Name); err == nil {
			a.Found = &found.Found
		}
	}
	a.Said = said(ctx, source, &a)
	return a, nil
}
