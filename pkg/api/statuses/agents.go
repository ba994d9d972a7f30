package statuses

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/pkg/api"
	"fanout/pkg/clusters"
	"fanout/pkg/results"
	"fanout/pkg/selector"
)

// NotKnown is the State of an agent of which no object in the hub tells it.
const NotKnown = "Unknown"

// Agents implements api.Source.
func (s *Source) Agents(ctx context.Context, namespaces ...string) (api.Agents, error) {
	agents := map[string]*api.Agent{}
	registered, err := s.registered(ctx)
	if err != nil {
		s.lack("agents that no status names, labels and credentials (list Secrets in namespace " + s.namespace + ")")
	}
	for i := range registered {
		agents[registered[i].Name] = &registered[i]
	}
	parents, err := s.parents(ctx, metav1.NamespaceAll)
	if err != nil {
		s.lack("numbers of Canaries (list Canaries in all namespaces)")
		if len(agents) == 0 {
			return api.Agents{}, err
		}
	}
	for i := range parents {
		canary := read(&parents[i], nil)
		for j := range canary.Copies {
			add(agents, &canary.Copies[j], len(namespaces) == 0 || slices.Contains(namespaces, canary.Namespace))
		}
	}
	answer := api.Agents{Teller: s.teller(ctx)}
	for _, agent := range agents {
		answer.Items = append(answer.Items, *agent)
	}
	slices.SortFunc(answer.Items, func(a, b api.Agent) int { return strings.Compare(a.Name, b.Name) })
	return answer, nil
}

// add takes in what a status says of a copy's agent, and counts the copy or not.
func add(agents map[string]*api.Agent, c *api.Copy, counts bool) {
	agent := agents[c.Agent]
	if agent == nil {
		agent = &api.Agent{Name: c.Agent, State: NotKnown}
		agents[c.Agent] = agent
	}
	if c.Away != nil && agent.State == NotKnown {
		agent.State = c.Away.Reason
	}
	if !counts {
		return
	}
	agent.Selected++
	switch {
	case c.InSync:
		agent.InSync++
	case c.OutOfSync != nil:
		agent.OutOfSync++
	}
	if c.State == results.Failed.String() || c.State == results.Invalid.String() {
		agent.Failing++
	}
}

// registered are the agents as their Secrets register them, and local.
func (s *Source) registered(ctx context.Context) ([]api.Agent, error) {
	list, err := s.kube.CoreV1().Secrets(s.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	agents := []api.Agent{{Name: selector.Local, State: NotKnown}}
	all := clusters.Formats{clusters.Native, clusters.ClusterAPI, clusters.ArgoCD}
	for _, r := range all.Registrations(list.Items) {
		// Of other tools' Secrets those count that a controller has taken up.
		if r.Format != clusters.Native && !slices.Contains(r.Secret.Finalizers, clusters.Finalizer) || r.Agent == "" {
			continue
		}
		agents = append(agents, agentOf(&r))
	}
	return agents, nil
}

// labels are those of the agents, as far as they may be read.
func (s *Source) labels(ctx context.Context) map[string]map[string]string {
	labels := map[string]map[string]string{}
	registered, _ := s.registered(ctx)
	for _, agent := range registered {
		labels[agent.Name] = agent.Labels
	}
	return labels
}

func agentOf(r *clusters.Registration) api.Agent {
	agent := api.Agent{Name: r.Agent, Secret: r.Secret.Name, State: NotKnown, Labels: r.Labels, Namespaces: r.Namespaces}
	switch {
	case r.Secret.DeletionTimestamp != nil:
		agent.State, agent.Since = string(clusters.Leaving), r.Secret.DeletionTimestamp.Time
	case r.Err != nil:
		agent.State, agent.Detail = string(clusters.Refused), r.Err.Error()
	}
	if r.Config != nil {
		if expiry, ends := r.Config.Expiry(); ends {
			agent.CredentialExpires = &expiry.At
		}
	}
	return agent
}
