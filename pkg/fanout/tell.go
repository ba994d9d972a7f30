package fanout

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/cache"

	"fanout/pkg/api"
	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/results"
	"fanout/pkg/selector"
)

// What a Controller tells is from memory, and of each thing it holds a lock for no longer than it takes to look at it. One of several that
// share the members tells of its own agents, and of the parents whose statuses it writes.

var _ api.Source = (*Controller)(nil)

// Changed implements api.Source.
func (c *Controller) Changed() <-chan struct{} { return c.changes.wait() }

// Agents implements api.Source. How many Canaries an agent has in which state is as it is at that moment, and where all of them changed with
// the agent itself as late as their statuses may be.
func (c *Controller) Agents(ctx context.Context, namespaces ...string) (api.Agents, error) {
	if err := c.knows(); err != nil {
		return api.Agents{}, err
	}
	answer := api.Agents{Teller: c.teller(), Items: []api.Agent{}}
	c.mu.RLock()
	places := make(map[uint32]int, len(c.agents)) // in answer.Items, by number
	for name, k := range c.agents {
		if k.isElsewhere() {
			continue
		}
		places[k.number] = len(answer.Items)
		answer.Items = append(answer.Items, k.tell(name))
	}
	answer.Items = append(answer.Items, c.tellLeaving()...)
	c.mu.RUnlock()
	counted := sets.New(namespaces...)
	for _, item := range c.parents.List() {
		p := item.(*parent)
		if !p.isParent() || len(counted) > 0 && !counted.Has(p.GetNamespace()) {
			continue
		}
		if ctx.Err() != nil {
			return api.Agents{}, ctx.Err()
		}
		c.withTally(p, func(t *tally) {
			for _, m := range t.marks {
				if place, known := places[m.number()]; known {
					m.addTo(&answer.Items[place])
				}
			}
		})
	}
	slices.SortFunc(answer.Items, func(a, b api.Agent) int { return strings.Compare(a.Name, b.Name) })
	return answer, nil
}

// Canaries implements api.Source. How the copies fare is as it is at that moment; times, uptimes, latencies, and what changed with a whole
// agent or was told by another replica, are as late as statuses may be.
func (c *Controller) Canaries(ctx context.Context, namespace string) (api.Canaries, error) {
	if err := c.knows(); err != nil {
		return api.Canaries{}, err
	}
	answer := api.Canaries{Teller: c.teller(), Items: []api.Canary{}}
	for _, item := range c.parents.List() {
		p := item.(*parent)
		if !p.isParent() || namespace != "" && namespace != p.GetNamespace() || !c.statuses.isMine(p) {
			continue
		}
		if ctx.Err() != nil {
			return api.Canaries{}, ctx.Err()
		}
		var summary results.Summary
		c.withTally(p, func(t *tally) { summary = t.Summary })
		answer.Items = append(answer.Items, p.tell(&summary))
	}
	slices.SortFunc(answer.Items, func(a, b api.Canary) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return answer, nil
}

// Canary implements api.Source. It is as it is at that moment.
func (c *Controller) Canary(_ context.Context, namespace, name string) (api.OneCanary, error) {
	if err := c.knows(); err != nil {
		return api.OneCanary{}, err
	}
	item, _, _ := c.parents.GetByKey(cache.NewObjectName(namespace, name).String())
	p := asParent(item)
	if !p.isParent() {
		return api.OneCanary{}, fmt.Errorf("%w: the hub has no Canary %s/%s with an agentSelector", api.ErrNotFound,
			results.Clip(namespace, maxNamed), results.Clip(name, maxNamed))
	}
	if !c.statuses.isMine(p) {
		return api.OneCanary{}, fmt.Errorf("%w: of Canary %s another replica tells, %s", api.ErrNotKnown, p.key(), cmp.Or(c.options.Owner(string(p.GetUID())), "which has not begun yet"))
	}
	agents, shown := c.statuses.knownOf(p)
	now := c.options.Clock.Now()
	answer := api.OneCanary{Teller: c.teller()}
	summary := results.Aggregate(p.asked(), agents, shown, now).Summary
	answer.Canary = p.tell(&summary)
	answer.Canary.Copies = c.tellCopies(p, results.Lines(p.asked(), agents, now))
	return answer, nil
}

// maxNamed is as long as a name may be.
const maxNamed = 253

// Find implements api.Source. It is one request to the member.
func (c *Controller) Find(ctx context.Context, agent, namespace, name string) (api.OneFound, error) {
	c.mu.RLock()
	k := c.agents[agent]
	var at *running
	state := api.Agent{}
	if k != nil {
		at, state = k.at, k.tell(agent)
	}
	c.mu.RUnlock()
	agent = results.Clip(agent, maxNamed)
	switch {
	case k == nil:
		return api.OneFound{}, fmt.Errorf("%w: there is no agent %q", api.ErrNotFound, agent)
	case at == nil:
		return api.OneFound{}, fmt.Errorf("%w: the member of agent %q can't be asked: %s", api.ErrNotKnown, agent, strings.TrimSuffix(state.State+": "+state.Detail, ": "))
	}
	key := types.NamespacedName{Namespace: namespace, Name: name}
	found, err := at.Find(ctx, key)
	if err != nil {
		return api.OneFound{}, fmt.Errorf("%w: ask the member of agent %q: %w", api.ErrNotKnown, agent, err)
	}
	answer := api.OneFound{Teller: c.teller(), Found: c.tellFound(found)}
	if found != nil {
		answer.Found.OutOfSync = tellCondition(at.Report(key).Out)
	}
	return answer, nil
}

// knows returns an error while the hub's Canaries are not known.
func (c *Controller) knows() error {
	select {
	case <-c.ready:
		return nil
	default:
		return fmt.Errorf("%w: fanout has just begun to work, and has not read the hub's Canaries yet", api.ErrNotKnown)
	}
}

func (c *Controller) teller() api.Teller {
	return api.Teller{Version: c.options.Version, Hub: c.options.HubID, Time: c.options.Clock.Now().UTC(), Replica: c.options.Replica}
}

// tell returns the agent of that name, but for its Canaries. The caller has the Controller's lock.
func (k *known) tell(name string) api.Agent {
	a := api.Agent{Name: name, State: string(clusters.Connecting), Since: k.since.UTC(), Labels: k.labels()}
	note := results.Condition{}
	switch {
	case k.at != nil:
		a.State = string(clusters.Connected)
		if note = k.at.Lacking(); note.Reason != "" {
			note.Detail = note.Reason + ": " + note.Detail
		}
	case k.missing != nil:
		a.State, a.Since = string(k.missing.State), k.missing.Since.UTC()
		note = results.NewCondition(a.State, k.missing.Detail, a.Since)
	}
	a.Detail = note.Detail
	if known := k.particulars; known != nil {
		a.Secret, a.ServerVersion, a.Namespaces = known.Secret, known.ServerVersion, selector.SplitNamespaces(known.Namespaces)
		if !known.Expires.IsZero() {
			expires := known.Expires.UTC()
			a.CredentialExpires = &expires
		}
		if a.Detail == "" {
			a.Detail = results.NewCondition(a.State, known.Unused, a.Since).Detail
		}
		a.Events = tellEvents(known.Events)
	}
	return a
}

// addTo counts what it says in a, which is its agent.
func (m mark) addTo(a *api.Agent) {
	a.Selected++
	if m&markInSync != 0 {
		a.InSync++
	}
	if m&markOut != 0 {
		a.OutOfSync++
	}
	if m.summary().Failing() {
		a.Failing++
	}
}

// tellCopies returns the copies that lines are of.
func (c *Controller) tellCopies(p *parent, lines []results.Line) []api.Copy {
	labels := make([]map[string]string, len(lines))
	c.mu.RLock()
	for i := range lines {
		if k := c.agents[lines[i].Name]; k != nil {
			labels[i] = k.labels()
		}
	}
	c.mu.RUnlock()
	why := p.explainer()
	copies := make([]api.Copy, len(lines))
	for i := range lines {
		place := derive.Place(p.key(), lines[i].Name)
		copies[i] = tellCopy(&lines[i])
		copies[i].Namespace, copies[i].Name = place.Namespace, place.Name
		if why != nil {
			copies[i].SelectedBy = results.Clip(why.Explain(lines[i].Name, labels[i]).SelectedBy, selector.MaxPatternBytes)
		}
	}
	return copies
}

// explainer tells by what p selects an agent, nil where its selector is not valid.
func (p *parent) explainer() *selector.Explainer {
	if p.canary == nil || p.invalid != nil {
		return nil
	}
	patterns, _ := agentSelector(p.canary)
	why, _ := selector.NewExplainer(patterns)
	return why
}
