package statuses

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/api"
)

// Recent is a Source that answers for one Canary from what it last read of all, for those who ask for many of them.
type Recent struct {
	*Source

	mu      sync.Mutex
	parents map[[2]string]*unstructured.Unstructured
	labels  map[string]map[string]string
}

var _ api.Source = (*Recent)(nil)

// NewRecent returns what answers for source.
func NewRecent(source *Source) *Recent { return &Recent{Source: source} }

// Canaries implements api.Source.
func (r *Recent) Canaries(ctx context.Context, namespace string) (api.Canaries, error) {
	if namespace != "" {
		return r.Source.Canaries(ctx, namespace)
	}
	listed, err := r.Source.parents(ctx, "")
	if err != nil {
		return api.Canaries{}, err
	}
	labels := map[string]map[string]string{}
	if registered, err := r.registered(ctx); err == nil {
		for _, agent := range registered {
			labels[agent.Name] = agent.Labels
		}
	}
	answer := api.Canaries{Teller: r.teller(ctx)}
	parents := make(map[[2]string]*unstructured.Unstructured, len(listed))
	for i := range listed {
		canary := read(&listed[i], nil)
		canary.Copies = nil
		answer.Items = append(answer.Items, canary)
		parents[[2]string{canary.Namespace, canary.Name}] = &listed[i]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parents, r.labels = parents, labels
	return answer, nil
}

// Canary implements api.Source.
func (r *Recent) Canary(ctx context.Context, namespace, name string) (api.OneCanary, error) {
	r.mu.Lock()
	parent, labels := r.parents[[2]string{namespace, name}], r.labels
	r.mu.Unlock()
	if parent == nil {
		return r.Source.Canary(ctx, namespace, name)
	}
	return api.OneCanary{Teller: r.teller(ctx), Canary: read(parent, labels)}, nil
}
