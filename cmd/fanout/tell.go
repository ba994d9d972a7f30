package main

import (
	"context"
	"fmt"
	"sync"

	"fanout/pkg/api"
)

// source is what this process tells: what its controller does while that works, and until then who may know more.
type source struct {
	*flags
	health *health

	mu      sync.Mutex
	works   api.Source    // nil while it stands by
	changed chan struct{} // closed when works is another
}

var _ api.Source = (*source)(nil)

func newSource(health *health, f *flags) *source {
	return &source{flags: f, health: health, changed: make(chan struct{})}
}

// tellOf has it tell what works does, until done is called.
func (s *source) tellOf(works api.Source) (done func()) {
	s.become(works)
	return func() { s.become(nil) }
}

func (s *source) become(works api.Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.works = works
	close(s.changed)
	s.changed = make(chan struct{})
}

// now returns what works, or why nothing does.
func (s *source) now() (api.Source, error) {
	s.mu.Lock()
	works := s.works
	s.mu.Unlock()
	if works != nil {
		return works, nil
	}
	lease := s.leaderElection
	leader := ""
	if elector := s.health.leader.Load(); elector != nil && !elector.IsLeader() {
		leader = elector.GetLeader()
	}
	switch {
	case !s.health.ready.Load():
		return nil, fmt.Errorf("%w: the hub has not answered yet, or fanout is stopping", api.ErrNotKnown)
	case leader == "":
		return nil, fmt.Errorf("%w: nobody works at the moment; ask again in a few seconds", api.ErrNotKnown)
	default:
		return nil, fmt.Errorf("%w: this process stands by; ask the one that holds the Lease %s/%s, which is %s", api.ErrNotKnown, lease.ResourceNamespace, lease.ResourceName, leader)
	}
}

// Agents implements api.Source.
func (s *source) Agents(ctx context.Context, namespaces ...string) (answer api.Agents, err error) {
	works, err := s.now()
	if err != nil {
		return answer, err
	}
	return works.Agents(ctx, namespaces...)
}

// Canaries implements api.Source.
func (s *source) Canaries(ctx context.Context, namespace string) (answer api.Canaries, err error) {
	works, err := s.now()
	if err != nil {
		return answer, err
	}
	return works.Canaries(ctx, namespace)
}

// Canary implements api.Source.
func (s *source) Canary(ctx context.Context, namespace, name string) (answer api.OneCanary, err error) {
	works, err := s.now()
	if err != nil {
		return answer, err
	}
	return works.Canary(ctx, namespace, name)
}

// Find implements api.Source.
func (s *source) Find(ctx context.Context, agent, namespace, name string) (answer api.OneFound, err error) {
	works, err := s.now()
	if err != nil {
		return answer, err
	}
	return works.Find(ctx, agent, namespace, name)
}

// Changed implements api.Source. What works tells when it stops, too.
func (s *source) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.works != nil {
		return s.works.Changed()
	}
	return s.changed
}
