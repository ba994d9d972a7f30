package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/preview"
	"fanout/pkg/preview/look"
	"fanout/pkg/show"
)

// previewFlags are those of fanout preview.
type previewFlags struct {
	ask         *askFlags
	output      outputFlags
	file, agent string
}

func newPreviewCommand() *cobra.Command {
	f := &previewFlags{ask: newAskFlags()}
	command := &cobra.Command{
		Use:   "preview (-f FILE | --agent FILE | CANARY)",
		Short: "Show what a change would do in the members, before you make it",
		Long: `Show what would be created, changed, pruned, refused or in conflict in the members, and change nothing: if the Canaries in a file were
applied, if the Secret in a file registered a member, or by a Canary as it is in the hub now.

What a Canary would become in the hub is found out there by a dry run, with your own rights. What stands in the members the controller looks
up; what can't be asked is unknown, and is brought up to date when it can.

Exit codes: 0 nothing would change, 1 something would, or that can't be ruled out, 2 a failure or a fault of the command line.`,
		Example: `  fanout preview -f canary.yaml
  kustomize build checks | fanout preview -f - -n payments
  fanout preview --agent member.yaml       # a Secret to be
  fanout preview api-health -n payments    # what is out of step now`,
		Args: func(command *cobra.Command, args []string) error {
			given := len(args)
			for _, flag := range []string{f.file, f.agent} {
				if flag != "" {
					given++
				}
			}
			if given == 1 {
				return nil
			}
			return &usageError{command: command.CommandPath(), err: errors.New("say one thing to preview: -f FILE, --agent FILE or a Canary")}
		},
		RunE: func(command *cobra.Command, args []string) error {
			plan := preview.Plan{}
			err := f.output.print(command, f.ask, func(ctx context.Context, source *asked) (*show.View, error) {
				p := &previewer{f, source, command, look.Hub{}, nil}
				var err error
				if plan, err = p.plan(ctx, args); err != nil {
					return nil, err
				}
				return show.Plan(plan), nil
			})
			var usage *usageError
			switch {
			case errors.As(err, &usage):
				return err
			case err != nil:
				return &exitError{code: exitUsage, err: err}
			case plan.Changes():
				return &exitError{code: exitFailure}
			}
			return nil
		},
		ValidArgsFunction: f.ask.completeCanary,
	}
	flags := command.Flags()
	f.ask.addTo(flags)
	f.ask.addNamespaceTo(flags)
	f.output.addTo(flags, false)
	flags.StringVarP(&f.file, "filename", "f", "", "File with the Canaries, of one or more documents; - is standard input.")
	flags.StringVar(&f.agent, "agent", "", "File with the Secret that is to register a member; - is standard input. It is not sent anywhere.")
	return command
}

// previewer makes one preview.
type previewer struct {
	*previewFlags
	source  *asked
	command *cobra.Command
	hub     look.Hub
	looker  *look.Looker
}

func (p *previewer) plan(ctx context.Context, args []string) (preview.Plan, error) {
	if p.source.hub != nil {
		client, err := dynamic.NewForConfig(p.source.hub)
		if err != nil {
			return preview.Plan{}, err
		}
		p.hub.Canaries = client.Resource(derive.Canaries)
	}
	agents, err := p.source.Agents(ctx)
	if err != nil {
		return preview.Plan{}, err
	}
	p.looker = &look.Looker{Source: p.source, Agents: agents, Progress: progress(p.command.ErrOrStderr())}
	plan := preview.Plan{Teller: agents.Teller, Canaries: []preview.Parent{}}
	switch {
	case p.agent != "":
		plan.Canaries, err = p.ofAgent(ctx)
	case p.file != "":
		plan.Canaries, err = p.ofFile(ctx)
	default:
		plan.Canaries, err = p.ofCanary(ctx, args[0])
	}
	return plan, err
}

func (p *previewer) ofCanary(ctx context.Context, name string) ([]preview.Parent, error) {
	live := p.hub.Live(ctx, p.ask.canaries(), name)
	if live == nil {
		return nil, fmt.Errorf("there is no Canary %s/%s in the hub that you may read", p.ask.canaries(), name)
	}
	parent, err := p.looker.Parent(ctx, live, live)
	return []preview.Parent{parent}, err
}

func (p *previewer) ofFile(ctx context.Context) ([]preview.Parent, error) {
	var canaries []*unstructured.Unstructured
	err := p.read(p.file, func(in io.Reader) (err error) {
		canaries, err = look.Canaries(in)
		return err
	})
	if err != nil {
		return nil, err
	}
	var parents []preview.Parent
	for _, canary := range canaries {
		if canary.GetNamespace() == "" {
			canary.SetNamespace(p.ask.canaries())
		}
		live := p.hub.Live(ctx, canary.GetNamespace(), canary.GetName())
		as, note, err := p.hub.As(ctx, canary, live)
		if err != nil {
			return nil, err
		}
		parent, err := p.looker.Parent(ctx, as, live)
		if err != nil {
			return nil, err
		}
		parent.Note = note
		parents = append(parents, parent)
	}
	return parents, nil
}

func (p *previewer) ofAgent(ctx context.Context) (parents []preview.Parent, err error) {
	err = p.read(p.agent, func(in io.Reader) error {
		registration, err := look.Registration(in)
		if err == nil {
			err = registration.Err
		}
		if err == nil {
			parents, err = p.looker.Agent(ctx, registration, p.hub)
		}
		return err
	})
	return parents, err
}

// read opens a file, or standard input.
func (p *previewer) read(name string, with func(io.Reader) error) error {
	if name == "-" {
		if err := with(p.command.InOrStdin()); err != nil {
			return fmt.Errorf("standard input: %w", err)
		}
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := with(file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// progress tells of many looks, every few seconds.
func progress(errOut io.Writer) func(taken, all int) {
	const pause = 2 * time.Second
	var mu sync.Mutex
	next := time.Now().Add(pause)
	return func(taken, all int) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.After(next) && taken < all {
			next = now.Add(pause)
			fmt.Fprintf(errOut, "Looked at %d of %d members\n", taken, all)
		}
	}
}
