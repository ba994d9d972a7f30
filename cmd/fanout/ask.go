package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"

	"fanout/pkg/api"
	"fanout/pkg/api/pods"
	"fanout/pkg/api/statuses"
)

// asksController is what the commands that show something say of how they know it.
const asksController = `It asks the controller, through the hub, with your own rights: to list pods in --cluster-namespace, and to forward to them (create on
pods/portforward).`

// askFlags say whom a command asks that shows what is known: the hub's controller, or the one at an address.
type askFlags struct {
	hub        *hubFlags
	controller string
	// namespace and everywhere are those of the commands that are about Canaries.
	namespace  *string
	everywhere bool
}

func newAskFlags() *askFlags {
	return &askFlags{hub: newHubFlags()}
}

func (f *askFlags) addTo(flags *pflag.FlagSet) {
	f.hub.addTo(flags)
	flags.StringVar(&f.controller, "controller", "", "Address of the controller's API, such as http://127.0.0.1:8082. By default its pods in --cluster-namespace are asked, through the hub.")
}

// addNamespaceTo adds -n, which is the Canaries' namespace.
func (f *askFlags) addNamespaceTo(flags *pflag.FlagSet) {
	f.namespace = new(string)
	flags.StringVarP(f.namespace, "namespace", "n", "", "Namespace of the Canaries in the hub. By default that of the context.")
}

// parseLabels reads --selector.
func parseLabels(command *cobra.Command, selector string) (labels.Selector, error) {
	matching, err := labels.Parse(selector)
	if err != nil {
		return nil, &usageError{command: command.CommandPath(), err: fmt.Errorf("--selector: %w", err)}
	}
	return matching, nil
}

// canaries is the namespace whose Canaries are meant, empty for all.
func (f *askFlags) canaries() string {
	switch {
	case f.everywhere:
		return ""
	case *f.namespace != "":
		return *f.namespace
	}
	namespace, _, err := f.hub.kube.ToRawKubeConfigLoader().Namespace()
	if err != nil || namespace == "" {
		return "default"
	}
	return namespace
}

// asked is whoever answers: the controller, or what is in the hub where it can't be asked.
type asked struct {
	api.Source
	close func()
	// told says what is missing, once.
	told func()
	// hub is how the hub is reached with the user's own rights, nil where it is not known.
	hub *rest.Config
}

// open finds whom to ask.
func (f *askFlags) open(ctx context.Context, errOut io.Writer) (*asked, error) {
	config, err := f.hub.config()
	if f.controller != "" {
		address, err := url.Parse(f.controller)
		if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
			return nil, fmt.Errorf("--controller %q: must be an address, such as http://127.0.0.1:8082", f.controller)
		}
		client := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
		return &asked{api.NewClient(client, f.controller), client.CloseIdleConnections, func() {}, config}, nil
	}
	if err != nil {
		return nil, err
	}
	fallen, err := statuses.Open(config, f.hub.clusterNamespace)
	if err != nil {
		return nil, fmt.Errorf("connect to the hub: %w", err)
	}
	controllers, err := pods.Open(ctx, config, f.hub.clusterNamespace)
	fallback := &fallback{statuses: fallen, why: err}
	if err == nil {
		fallback.controllers = controllers
	}
	closeAll := func() {
		fallen.Close()
		if controllers != nil {
			controllers.Close()
		}
	}
	return &asked{fallback, closeAll, sync.OnceFunc(func() { fallback.tell(errOut) }), config}, nil
}

// completeAgents completes the names of agents.
func (f *askFlags) completeAgents(command *cobra.Command, already []string) []string {
	return f.complete(command, func(source api.Source) (names []string) {
		answer, _ := source.Agents(command.Context())
		for _, agent := range answer.Items {
			if !slices.Contains(already, agent.Name) {
				names = append(names, agent.Name+"\t"+agent.State)
			}
		}
		return names
	})
}

// completeCanaries completes the names of parents.
func (f *askFlags) completeCanaries(command *cobra.Command) []string {
	return f.complete(command, func(source api.Source) (names []string) {
		answer, _ := source.Canaries(command.Context(), f.canaries())
		for _, canary := range answer.Items {
			names = append(names, canary.Name+"\t"+canary.State)
		}
		return names
	})
}

// completeCanary completes the one argument of a command about a parent.
func (f *askFlags) completeCanary(command *cobra.Command, already []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	if len(already) == 0 {
		names = f.completeCanaries(command)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// complete asks for names; where nobody answers there are none.
func (f *askFlags) complete(command *cobra.Command, ask func(api.Source) []string) []string {
	source, err := f.open(command.Context(), io.Discard)
	if err != nil {
		return nil
	}
	defer source.close()
	return ask(source)
}
