package api

import (
	"context"
	"errors"
)

// ErrNotFound says that there is no such agent, or that no such Canary has an agentSelector.
var ErrNotFound = errors.New("not found")

// ErrNotKnown says that whoever was asked can't know that: a controller that stands by, or statuses where a controller would have to
// be asked. Its text says who could.
var ErrNotKnown = errors.New("not known here")

// Source is what knows: a controller in this process or another one, or the parents' statuses in the hub.
type Source interface {
	// Agents returns all that are registered, local too, by name. Where namespaces are named, an agent's numbers are of the Canaries in
	// these alone.
	Agents(ctx context.Context, namespaces ...string) (Agents, error)
	// Canaries returns the parents in a namespace, or in all where that is empty, by namespace and name, without their copies.
	Canaries(ctx context.Context, namespace string) (Canaries, error)
	// Canary returns one parent with its copies, or ErrNotFound.
	Canary(ctx context.Context, namespace, name string) (OneCanary, error)
	// Find reads what stands in a place of the agent's member.
	Find(ctx context.Context, agent, namespace, name string) (OneFound, error)
	// Changed returns a channel that is closed when any answer but Find's may be another than now.
	Changed() <-chan struct{}
}
