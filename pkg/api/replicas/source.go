// Package replicas has one of several controllers that share the members tell what all of them know.
package replicas

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"fanout/pkg/api"
	"fanout/pkg/api/merged"
	"fanout/pkg/shard"
)

// Options say who is asked.
type Options struct {
	// Own is what this replica knows, and Name what it is called.
	Own  api.Source
	Name string
	// Others returns where the other replicas are reached, and Client what asks one of them. Each tells there what it knows alone.
	Others func() []shard.Contact
	Client func(shard.Contact) *http.Client
}

// Source is what this replica and all others know. Each question goes to all of them; of one that does not answer in time it says so.
type Source struct {
	options Options
	done    chan struct{}

	mu     sync.Mutex
	others map[shard.Contact]*other
}

var _ api.Source = (*Source)(nil)

// other is another replica.
type other struct {
	*api.Client
	over *http.Client
}

// New returns a Source that has asked nobody yet. Close it.
func New(o Options) *Source {
	return &Source{options: o, done: make(chan struct{}), others: map[shard.Contact]*other{}}
}

// Close ends all connections.
func (s *Source) Close() {
	close(s.done)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.others {
		o.over.CloseIdleConnections()
	}
}

// all returns those that there are now, this one first.
func (s *Source) all() []merged.One {
	contacts := s.options.Others()
	all := []merged.One{{Name: s.options.Name, Source: s.options.Own}}
	s.mu.Lock()
	defer s.mu.Unlock()
	for contact, gone := range s.others {
		if !slices.Contains(contacts, contact) {
			gone.over.CloseIdleConnections()
			delete(s.others, contact)
		}
	}
	for _, contact := range contacts {
		known := s.others[contact]
		if known == nil {
			over := s.options.Client(contact)
			known = &other{api.NewClient(over, "https://"+contact.Address), over}
			s.others[contact] = known
		}
		all = append(all, merged.One{Name: contact.Replica, Source: known})
	}
	return all
}

// Agents implements api.Source.
func (s *Source) Agents(ctx context.Context, namespaces ...string) (api.Agents, error) {
	answer, err := merged.Agents(ctx, s.all(), namespaces...)
	answer.Teller = s.sign(answer.Teller)
	return answer, explained(err)
}

// Canaries implements api.Source.
func (s *Source) Canaries(ctx context.Context, namespace string) (api.Canaries, error) {
	answer, err := merged.Canaries(ctx, s.all(), namespace)
	answer.Teller = s.sign(answer.Teller)
	return answer, explained(err)
}

// Canary implements api.Source: the replica answers that writes its status.
func (s *Source) Canary(ctx context.Context, namespace, name string) (api.OneCanary, error) {
	answer, err := merged.Canary(ctx, s.all(), namespace, name)
	answer.Teller = s.sign(answer.Teller)
	return answer, explained(err)
}

// Find implements api.Source: the replica answers that works with the agent's member.
func (s *Source) Find(ctx context.Context, agent, namespace, name string) (api.OneFound, error) {
	answer, err := merged.Find(ctx, s.all(), agent, namespace, name)
	answer.Teller = s.sign(answer.Teller)
	return answer, explained(err)
}

// Changed implements api.Source. Of what others know it is closed when so much time has passed that it may have changed.
func (s *Source) Changed() <-chan struct{} { return merged.Changed(s.all(), s.done) }

// sign returns t as that of a replica that tells of all, or of one that could not ask some.
func (s *Source) sign(t api.Teller) api.Teller {
	t.Replica = ""
	if len(t.Silent) > 0 {
		t.Replica = s.options.Name
	}
	return t
}

// explained has an error say that it is one of not knowing, whatever kept another replica from answering.
func explained(err error) error {
	if err == nil || errors.Is(err, api.ErrNotFound) || errors.Is(err, api.ErrNotKnown) {
		return err
	}
	return fmt.Errorf("%w: %w", api.ErrNotKnown, err)
}
