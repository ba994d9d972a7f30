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

// getFlags are those of fanout get.
type getFlags struct {
	ask      *askFlags
	output   outputFlags
	failing  bool
	selector string
}

func newGetCommand() *cobra.Command {
	f := &getFlags{ask: newAskFlags()}
	command := &cobra.Command{
		Use:   "get [CANARY]",
		Short: "Show how Canaries fare on all of their agents",
		Long: `Show the Canaries that have an agentSelector, a line each: how they fare on all of their agents. With a name, show that one and a line per
agent: how the check fares there, whether the copy is in sync or why not, uptime, latency and last check, and how old that knowledge is.
What the words mean is in docs/results.md.

` + asksController + ` Without it shows what the parents' statuses say, and says so.

Exit codes: 0 shown, however the checks fare, 1 failed, or there is no such Canary, 2 a fault of the command line.`,
		Example: `  fanout get -A
  fanout get api-health -n payments
  fanout get -A --failing                            # what fails anywhere
  fanout get api-health --failing -l region=eu -w    # … and in Europe, as it happens
  fanout get api-health -o jsonpath='{.canary.copies[?(@.state=="Failed")].agent}'`,
		Args: func(command *cobra.Command, args []string) error {
			if len(args) < 2 {
				return nil
			}
			return noArguments(command, args[1:])
		},
		RunE: func(command *cobra.Command, args []string) error {
			matching, err := parseLabels(command, f.selector)
			if err != nil {
				return err
			}
			if len(args) == 1 && f.ask.everywhere {
				return &usageError{command: command.CommandPath(), err: fmt.Errorf("a Canary of one name is in one namespace: say which with -n, instead of -A")}
			}
			return f.output.print(command, f.ask, func(ctx context.Context, source *asked) (*show.View, error) {
				glance := &glance{getFlags: f, source: source, matching: matching}
				if len(args) == 1 {
					return glance.one(ctx, args[0])
				}
				return glance.all(ctx)
			})
		},
		ValidArgsFunction: f.ask.completeCanary,
	}
	flags := command.Flags()
	f.ask.addTo(flags)
	f.ask.addNamespaceTo(flags)
	f.output.addTo(flags, true)
	flags.BoolVarP(&f.ask.everywhere, "all-namespaces", "A", false, "Those of all namespaces.")
	flags.BoolVar(&f.failing, "failing", false, "Only what fails, or did when something was last heard of it.")
	flags.StringVarP(&f.selector, "selector", "l", "", "Only on agents with these labels, such as tier=prod,region in (eu,us).")
	return command
}

// glance is one look at what there is.
type glance struct {
	*getFlags
	source   *asked
	matching labels.Selector
	agents   map[string]bool // those that match, where that is asked for
}

func (g *glance) one(ctx context.Context, name string) (*show.View, error) {
	one, err := g.source.Canary(ctx, g.ask.canaries(), name)
	if err != nil {
		return nil, err
	}
	if err := g.findAgents(ctx); err != nil {
		return nil, err
	}
	one.Canary.Copies = slices.DeleteFunc(one.Canary.Copies, func(c api.Copy) bool {
		return g.agents != nil && !g.agents[c.Agent] || g.failing && !show.IsFailing(&c)
	})
	return show.Copies(one), nil
}

func (g *glance) all(ctx context.Context) (*show.View, error) {
	canaries, err := g.source.Canaries(ctx, g.ask.canaries())
	if err != nil {
		return nil, err
	}
	if err := g.findAgents(ctx); err != nil {
		return nil, err
	}
	if g.agents != nil {
		if canaries.Items, err = g.narrowed(ctx, canaries.Items); err != nil {
			return nil, err
		}
	}
	if g.failing {
		canaries.Items = slices.DeleteFunc(canaries.Items, func(c api.Canary) bool { return !show.AnyFails(&c) })
	}
	return show.Canaries(canaries, g.ask.everywhere), nil
}

// narrowed are the parents that select any of the agents that match, as they fare on these.
func (g *glance) narrowed(ctx context.Context, canaries []api.Canary) ([]api.Canary, error) {
	var kept []api.Canary
	for _, canary := range canaries {
		one, err := g.source.Canary(ctx, canary.Namespace, canary.Name)
		if err != nil {
			return nil, err
		}
		canary = show.Narrow(one.Canary, func(c *api.Copy) bool { return g.agents[c.Agent] })
		if canary.Copies = nil; canary.Agents > 0 {
			kept = append(kept, canary)
		}
	}
	return kept, nil
}

// findAgents finds those that match, where labels were given.
func (g *glance) findAgents(ctx context.Context) error {
	if g.selector == "" {
		return nil
	}
	agents, err := g.source.Agents(ctx)
	if err != nil {
		return err
	}
	g.agents = map[string]bool{}
	for _, agent := range agents.Items {
		if g.matching.Matches(labels.Set(agent.Labels)) {
			g.agents[agent.Name] = true
		}
	}
	return nil
}
