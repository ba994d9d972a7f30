package api

import (
	"context"
	"fmt"
	"slices"
)

// Only returns what source knows as it is told to somebody who may see the Canaries of these namespaces, one at least, and no others. Of others
// there is nothing, and no number says that there are any; who asks for one of them is answered as if it did not exist. Of agents it tells by
// what they are selected, and how they are; where and how they are registered is left out.
func Only(source Source, namespaces ...string) Source { return &only{source, namespaces} }

type only struct {
	Source
	namespaces []string
}

// errUnseen is the answer about any namespace that may not be seen, whether it is there or not.
var errUnseen = fmt.Errorf("%w: there is no such namespace with Canaries that have an agentSelector, or you may not see it", ErrNotFound)

func (o *only) sees(namespace string) bool { return slices.Contains(o.namespaces, namespace) }

func (o *only) narrow(t Teller) Teller {
	t.Namespaces = o.namespaces
	return t
}

// Agents implements Source.
func (o *only) Agents(ctx context.Context, namespaces ...string) (Agents, error) {
	counted := o.namespaces
	if len(namespaces) > 0 {
		counted = slices.DeleteFunc(slices.Clone(namespaces), func(n string) bool { return !o.sees(n) })
	}
	answer, err := o.Source.Agents(ctx, counted...)
	if err != nil {
		return Agents{}, err
	}
	items := make([]Agent, len(answer.Items))
	for i, a := range answer.Items {
		items[i] = Agent{Name: a.Name, State: a.State, Since: a.Since, Labels: a.Labels, ServerVersion: a.ServerVersion}
		if len(counted) > 0 { // of no namespace would be of all
			items[i].Selected, items[i].InSync, items[i].OutOfSync, items[i].Failing = a.Selected, a.InSync, a.OutOfSync, a.Failing
		}
	}
	return Agents{Teller: o.narrow(answer.Teller), Items: items}, nil
}

// Canaries implements Source.
func (o *only) Canaries(ctx context.Context, namespace string) (Canaries, error) {
	answer, err := o.Source.Canaries(ctx, namespace)
	if err != nil {
		return Canaries{}, err
	}
	items := make([]Canary, 0, len(answer.Items))
	for _, c := range answer.Items {
		if o.sees(c.Namespace) {
			items = append(items, c)
		}
	}
	return Canaries{Teller: o.narrow(answer.Teller), Items: items}, nil
}

// Canary implements Source.
func (o *only) Canary(ctx context.Context, namespace, name string) (OneCanary, error) {
	if !o.sees(namespace) {
		return OneCanary{}, errUnseen
	}
	answer, err := o.Source.Canary(ctx, namespace, name)
	if err != nil {
		return OneCanary{}, err
	}
	answer.Teller = o.narrow(answer.Teller)
	return answer, nil
}

// Find implements Source.
func (o *only) Find(ctx context.Context, agent, namespace, name string) (OneFound, error) {
	if !o.sees(namespace) {
		return OneFound{}, errUnseen
	}
	answer, err := o.Source.Find(ctx, agent, namespace, name)
	if err != nil {
		return OneFound{}, err
	}
	answer.Teller = o.narrow(answer.Teller)
	return answer, nil
}
