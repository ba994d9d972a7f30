package pods

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"fanout/pkg/api"
)

// Source asks the controllers of a hub. Where one leads, it answers; where they share the members, all do.
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

// find looks for the controllers afresh.
func (s *Source) find(ctx context.Context) error {
	ready, err := find(ctx, s.kube, s.namespace)
	if err != nil {
		return err
	}
	var found []*controller
	for i := range ready {
		forwarder, err := newForwarder(s.config, s.kube, &ready[i])
		if err != nil {
			return err
		}
		via := &http.Transport{DialContext: forwarder.DialContext}
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
func (s *Source) Agents(ctx context.Context) (api.Agents, error) {
	answers, err := ask(ctx, s, func(c api.Source) (api.Agents, api.Teller, error) {
		answer, err := c.Agents(ctx)
		return answer, answer.Teller, err
	})
	if err != nil {
		return api.Agents{}, err
	}
	return mergeAgents(answers), nil
}

// Canaries implements api.Source.
func (s *Source) Canaries(ctx context.Context, namespace string) (api.Canaries, error) {
	answers, err := ask(ctx, s, func(c api.Source) (api.Canaries, api.Teller, error) {
		answer, err := c.Canaries(ctx, namespace)
		return answer, answer.Teller, err
	})
	if err != nil {
		return api.Canaries{}, err
	}
	return mergeCanaries(answers), nil
}

// Canary implements api.Source: of those that share the members one tells of it.
func (s *Source) Canary(ctx context.Context, namespace, name string) (api.OneCanary, error) {
	answers, err := ask(ctx, s, func(c api.Source) (api.OneCanary, api.Teller, error) {
		answer, err := c.Canary(ctx, namespace, name)
		return answer, answer.Teller, err
	})
	if err != nil {
		return api.OneCanary{}, err
	}
	return answers[0], nil
}

// Find implements api.Source: of those that share the members one works with the agent's.
func (s *Source) Find(ctx context.Context, agent, namespace, name string) (api.OneFound, error) {
	answers, err := ask(ctx, s, func(c api.Source) (api.OneFound, api.Teller, error) {
		answer, err := c.Find(ctx, agent, namespace, name)
		return answer, answer.Teller, err
	})
	if err != nil {
		return api.OneFound{}, err
	}
	return answers[0], nil
}

// Changed implements api.Source.
func (s *Source) Changed() <-chan struct{} {
	changed := make(chan struct{})
	var once sync.Once
	for _, c := range s.all() {
		go func() {
			select {
			case <-c.Changed():
				once.Do(func() { close(changed) })
			case <-changed:
			case <-s.done:
			}
		}()
	}
	return changed
}

// ask asks all controllers at once, and once more where none could answer and there are others by then. One that tells for all is believed
// alone.
func ask[T any](ctx context.Context, s *Source, question func(api.Source) (T, api.Teller, error)) ([]T, error) {
	answers, err := askOnce(s.all(), question)
	if err == nil || errors.Is(err, api.ErrNotFound) || ctx.Err() != nil {
		return answers, err
	}
	if s.find(ctx) != nil {
		return nil, err
	}
	return askOnce(s.all(), question)
}

func askOnce[T any](controllers []*controller, question func(api.Source) (T, api.Teller, error)) ([]T, error) {
	type answer struct {
		of     T
		teller api.Teller
		err    error
	}
	all := make([]answer, len(controllers))
	var asking sync.WaitGroup
	for i, c := range controllers {
		asking.Go(func() { all[i].of, all[i].teller, all[i].err = question(c) })
	}
	asking.Wait()
	var answers []T
	var missing, failed error
	for i, a := range all {
		switch {
		case a.err == nil && a.teller.Replica == "":
			return []T{a.of}, nil
		case a.err == nil:
			answers = append(answers, a.of)
		case errors.Is(a.err, api.ErrNotFound):
			missing = a.err
		case failed == nil || errors.Is(failed, api.ErrNotKnown):
			failed = fmt.Errorf("ask pod %s: %w", controllers[i].pod, a.err)
		}
	}
	switch {
	case len(answers) > 0:
		return answers, nil
	case missing != nil:
		return nil, missing
	default:
		return nil, failed
	}
}
