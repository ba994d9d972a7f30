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
	parents := make(map[[2]string]*unstructured.Unstructured, len(listed))
	for i := range listed {
		parents[[2]string{listed[i].GetNamespace(), listed[i].GetName()}] = &listed[i]
	}
	labels := r.Source.labels(ctx)
	r.mu.Lock()
	r.parents, r.labels = parents, labels
	r.mu.Unlock()
	return r.without(ctx, listed), nil
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
