package look

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/api"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/preview"
	"fanout/pkg/selector"
)

// atOnce is how many members are looked at at the same time.
const atOnce = 16

// Looker takes looks at members.
type Looker struct {
	Source api.Source
	Agents api.Agents
	// Progress is told of looks at how many of all members have been taken, where there are many.
	Progress func(taken, all int)
}

// Parent is what would become of the copies of a parent that is to be as it is in parent, and is now as in live, which may be nil.
func (l *Looker) Parent(ctx context.Context, parent, live *unstructured.Unstructured) (preview.Parent, error) {
	p := preview.Parent{Namespace: parent.GetNamespace(), Name: parent.GetName(), Copies: []preview.Copy{}}
	entries, fault := entriesOf(parent)
	if fault != "" {
		p.Fault = fault
		return p, nil
	}
	before, err := l.before(ctx, parent, live)
	if err != nil {
		return p, err
	}
	wanted, was := templates(parent, l.Agents.Teller.Hub), templates(live, l.Agents.Teller.Hub)
	targets := preview.Targets(p.Namespace, entries, l.Agents.Items, before)
	p.Copies, err = l.look(ctx, types.NamespacedName{Namespace: p.Namespace, Name: p.Name}, targets, wanted, was)
	return p, err
}

// before tells which agents hold a copy now, as far as that is known.
func (l *Looker) before(ctx context.Context, parent, live *unstructured.Unstructured) (preview.Before, error) {
	holds := map[string]bool{}
	one, err := l.Source.Canary(ctx, parent.GetNamespace(), parent.GetName())
	if err != nil && !errors.Is(err, api.ErrNotFound) {
		return nil, err
	}
	for _, c := range one.Canary.Copies {
		holds[c.Agent] = true
	}
	if live != nil {
		if entries, _ := entriesOf(live); entries != nil {
			for _, agent := range l.Agents.Items {
				if entries.Explain(agent.Name, agent.Labels).Selected {
					holds[agent.Name] = true
				}
			}
		}
	}
	return func(agent string) bool { return holds[agent] }, nil
}

// copies makes the copy for an agent, nil where none can be made.
type copies func(agent string) *unstructured.Unstructured

// templates makes copies of a parent, which may be nil.
func templates(parent *unstructured.Unstructured, hub string) copies {
	if parent == nil {
		return func(string) *unstructured.Unstructured { return nil }
	}
	plain := derive.WithoutRoundTrip(parent.Object["spec"], derive.ManagersOf(parent))
	members, local := derive.NewTemplate(parent, plain, hub, false), derive.NewTemplate(parent, plain, hub, true)
	return func(agent string) *unstructured.Unstructured {
		if agent == derive.LocalAgent {
			return local.For(agent).Canary()
		}
		return members.For(agent).Canary()
	}
}

// look decides for all targets, of which many are looked at at the same time.
func (l *Looker) look(ctx context.Context, key types.NamespacedName, targets []preview.Target, wanted, was copies) ([]preview.Copy, error) {
	decided := make([]preview.Copy, len(targets))
	var taken atomic.Int32
	var looking sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for i := range targets {
		t := &targets[i]
		if decided[i] = t.Copy; !t.Look {
			taken.Add(1)
			continue
		}
		room <- struct{}{}
		looking.Go(func() {
			defer func() { <-room }()
			place := derive.Place(key, t.Agent)
			one, err := l.Source.Find(ctx, t.Agent, place.Namespace, place.Name)
			if err != nil {
				decided[i] = t.Unknowable(err.Error())
			} else {
				decided[i] = t.Decide(l.Agents.Teller.Hub, one.Found, wanted(t.Agent), was(t.Agent))
			}
			if n := int(taken.Add(1)); l.Progress != nil {
				l.Progress(n, len(targets))
			}
		})
	}
	looking.Wait()
	return decided, ctx.Err()
}

// entriesOf reads a Canary's agentSelector, or says what is wrong with it.
func entriesOf(canary *unstructured.Unstructured) (*selector.Explainer, string) {
	patterns, _, err := unstructured.NestedStringSlice(canary.Object, "spec", "agentSelector")
	if err != nil {
		return nil, "spec.agentSelector: not a list of patterns"
	}
	entries, err := selector.NewExplainer(patterns)
	if err != nil {
		return nil, err.Error()
	}
	return entries, ""
}
