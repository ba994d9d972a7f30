package look

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/api"
	"fanout/pkg/clusters"
	"fanout/pkg/preview"
	"fanout/pkg/selector"
)

// Agent is what would become of the copies of all parents on the agent that a Secret is to register. Parents that it does not concern are
// left out.
func (l *Looker) Agent(ctx context.Context, r clusters.Registration, hub Hub) ([]preview.Parent, error) {
	agent := api.Agent{Name: r.Agent, State: preview.New, Labels: r.Labels, Namespaces: r.Namespaces}
	registered := slices.IndexFunc(l.Agents.Items, func(a api.Agent) bool { return a.Name == r.Agent && a.State != string(clusters.Leaving) })
	var before *api.Agent
	if registered >= 0 {
		before = &l.Agents.Items[registered]
		agent.State, agent.Detail = before.State, before.Detail
	}
	canaries, err := l.Source.Canaries(ctx, "")
	if err != nil {
		return nil, err
	}
	var parents []preview.Parent
	for _, canary := range canaries.Items {
		p := preview.Parent{Namespace: canary.Namespace, Name: canary.Name, Fault: canary.Fault, Copies: []preview.Copy{}}
		entries, err := selector.NewExplainer(canary.Selector)
		if err != nil || canary.Fault != "" {
			continue // it does nothing about any agent
		}
		held := false
		if before != nil {
			held = entries.Explain(before.Name, before.Labels).Selected
		}
		targets := preview.Targets(canary.Namespace, entries, []api.Agent{agent}, func(string) bool { return held })
		if len(targets) == 0 {
			continue
		}
		live := hub.Live(ctx, canary.Namespace, canary.Name)
		wanted := templates(live, l.Agents.Teller.Hub)
		if p.Copies, err = l.look(ctx, types.NamespacedName{Namespace: p.Namespace, Name: p.Name}, targets, wanted, wanted); err != nil {
			return nil, err
		}
		parents = append(parents, p)
	}
	return parents, nil
}
