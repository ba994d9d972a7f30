package pods

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"fanout/pkg/api"
	"fanout/pkg/api/merged"
)

// Source asks the controllers of a hub. One that tells for all is believed; where none does, they share the members, and know all together.
type Source struct {
	config    *rest.Config
	kube      kubernetes.Interface
	namespace string
	done      chan struct{}

	mu          sync.Mutex
	controllers []*controller
}

var _ api.Source = (*Source)(nil)

// controller is one, in its pod.
type controller struct {
	api.Source
	pod string
	via *http.Transport
}

// Open returns a Source of the controllers in that namespace of the hub. It has asked none of them yet. Close it.
func Open(ctx context.Context, config *rest.Config, namespace string) (*Source, error) {
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	s := &Source{config: config, kube: kube, namespace: namespace, done: make(chan struct{})}
	return s, s.find(ctx)
}

// Close ends all connections over which nothing is asked.
func (s *Source) Close() {
	close(s.done)
	for _, c := range s.all() {
		c.via.CloseIdleConnections()
	}
}

func (s *Source) all() []*controller {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.controllers
}

// ones are controllers as those that are asked.
func ones(all []*controller) (ones []merged.One) {
	for _, c := range all {
		ones = append(ones, merged.One{Name: "pod " + c.pod, Source: c.Source})
	}
	return ones
}

// find looks for the controllers afresh.
func (s *Source) find(ctx context.Context) error {
	ready, err := find(ctx, s.kube, s.namespace)
	if err != nil {
		return err
	}
	var found []*controller
	for i := range ready {
		via := &http.Transport{DialContext: newForwarder(s.config, s.kube, &ready[i]).DialContext}
		found = append(found, &controller{api.NewClient(&http.Client{Transport: via}, "http://localhost"), ready[i].Name, via})
	}
	s.mu.Lock()
	before := s.controllers
	s.controllers = found
	s.mu.Unlock()
	for _, c := range before {
		c.via.CloseIdleConnections()
	}
	return nil
}

// Agents implements api.Source.
func (s *Source) Agents(ctx context.Context, namespaces ...string) (api.Agents, error) {
	return ask(ctx, s, func(all []*controller) (api.Agents, error) { return merged.Agents(ctx, ones(all), namespaces...) })
}

// Canaries implements api.Source.
func (s *Source) Canaries(ctx context.Context, namespace string) (api.Canaries, error) {
	return ask(ctx, s, func(all []*controller) (api.Canaries, error) { return merged.Canaries(ctx, ones(all), namespace) })
}

// Canary implements api.Source.
func (s *Source) Canary(ctx context.Context, namespace, name string) (api.OneCanary, error) {
	return ask(ctx, s, func(all []*controller) (api.OneCanary, error) { return merged.Canary(ctx, ones(all), namespace, name) })
}

// Find implements api.Source.
func (s *Source) Find(ctx context.Context, agent, namespace, name string) (api.OneFound, error) {
	return ask(ctx, s, func(all []*controller) (api.OneFound, error) {
		return merged.Find(ctx, ones(all), agent, namespace, name)
	})
}

// Changed implements api.Source.
func (s *Source) Changed() <-chan struct{} { return merged.Changed(ones(s.all()), s.done) }

// ask asks all controllers, and once more where none could answer and there are others by then.
func ask[T any](ctx context.Context, s *Source, question func([]*controller) (T, error)) (T, error) {
	answer, err := question(s.all())
	if err == nil || errors.Is(err, api.ErrNotFound) || ctx.Err() != nil {
		return answer, err
	}
	if s.find(ctx) != nil {
		return answer, err
	}
	return question(s.all())
}
