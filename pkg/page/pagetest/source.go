package pagetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanout/pkg/api"
)

// Agents implements api.Source.
func (s *Sample) Agents(_ context.Context, namespaces ...string) (api.Agents, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := api.Agents{Teller: s.teller(), Items: slices.Clone(s.agents)}
	if len(namespaces) > 0 {
		count(answer.Items, slices.DeleteFunc(slices.Clone(s.canaries), func(c api.Canary) bool { return !slices.Contains(namespaces, c.Namespace) }))
	}
	return answer, s.err
}

// Canaries implements api.Source.
func (s *Sample) Canaries(_ context.Context, namespace string) (api.Canaries, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := api.Canaries{Teller: s.teller()}
	for _, c := range s.canaries {
		if namespace == "" || namespace == c.Namespace {
			c.Copies = nil
			answer.Items = append(answer.Items, c)
		}
	}
	return answer, s.err
}

// Canary implements api.Source.
func (s *Sample) Canary(_ context.Context, namespace, name string) (api.OneCanary, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.canaries {
		if c.Namespace == namespace && c.Name == name {
			c.Copies = slices.Clone(c.Copies)
			return api.OneCanary{Teller: s.teller(), Canary: c}, s.err
		}
	}
	return api.OneCanary{}, fmt.Errorf("%w: the hub has no Canary %s/%s with an agentSelector", api.ErrNotFound, namespace, name)
}

// Find implements api.Source.
func (s *Sample) Find(context.Context, string, string, string) (api.OneFound, error) {
	return api.OneFound{}, fmt.Errorf("%w: there is no member behind this", api.ErrNotKnown)
}

// Changed implements api.Source.
func (s *Sample) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *Sample) teller() api.Teller {
	return api.Teller{Version: "v0.5.0", Hub: "8c5e0f0e-6f2d-4a53-9a0b-5b1c7d2e9f31", Time: s.now().UTC()}
}

// Change has one copy fare otherwise, and tells those who wait.
func (s *Sample) Change(namespace, name, agent string, change func(*api.Copy)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.canaries {
		for j := range s.canaries[i].Copies {
			c := &s.canaries[i].Copies[j]
			if s.canaries[i].Namespace == namespace && s.canaries[i].Name == name && c.Agent == agent {
				change(c)
			}
		}
	}
	s.count()
	s.tell()
}

// Fail has one copy fail with that error, since now.
func (s *Sample) Fail(namespace, name, agent, text string) {
	now := s.now()
	s.Change(namespace, name, agent, func(c *api.Copy) { c.State, c.Error, c.LastTransition = "Failed", text, &now })
}

// SetError has it know nothing but that, or with nil all again.
func (s *Sample) SetError(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	s.tell()
}

// Add adds Canaries as they are.
func (s *Sample) Add(canaries ...api.Canary) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.canaries = append(s.canaries, canaries...)
	s.count()
	s.tell()
}

// AddAgent adds agents as they are.
func (s *Sample) AddAgent(agents ...api.Agent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agents = append(s.agents, agents...)
	s.count()
	s.tell()
}

// tell tells that something changed. The caller has the lock.
func (s *Sample) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// count counts what Canaries and agents say of their copies, and puts them in order. The caller has the lock, or is alone.
func (s *Sample) count() {
	count(s.agents, s.canaries)
	slices.SortFunc(s.canaries, func(a, b api.Canary) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	slices.SortFunc(s.agents, func(a, b api.Agent) int { return strings.Compare(a.Name, b.Name) })
}

func count(agents []api.Agent, canaries []api.Canary) {
	worst := []string{"Failed", "Invalid", "Missing", "Unreachable", "Stale", "Paused", "Pending", "Passed"}
	places := map[string]*api.Agent{}
	for i := range agents {
		a := &agents[i]
		a.Selected, a.InSync, a.OutOfSync, a.Failing = 0, 0, 0, 0
		places[a.Name] = a
	}
	for i := range canaries {
		c := &canaries[i]
		c.States, c.Agents, c.InSync, c.OutOfSync, c.State = map[string]int{}, len(c.Copies), 0, 0, "Pending"
		var passed, runs, slowest uint32
		for j := range c.Copies {
			made := &c.Copies[j]
			a := places[made.Agent]
			if a == nil {
				a = &api.Agent{}
			}
			a.Selected++
			c.States[made.State]++
			if made.InSync {
				c.InSync++
				a.InSync++
			}
			if made.OutOfSync != nil {
				c.OutOfSync++
				a.OutOfSync++
			}
			if made.State == "Failed" || made.State == "Invalid" {
				a.Failing++
			}
			if made.Runs != nil {
				passed, runs = passed+*made.Passed, runs+*made.Runs
			}
			if made.LatencyMillis != nil {
				slowest = max(slowest, *made.LatencyMillis)
			}
			c.LastCheck, c.LastTransition = later(c.LastCheck, made.LastCheck), later(c.LastTransition, made.LastTransition)
			if made.Away != nil {
				c.LastTransition = later(c.LastTransition, made.Away.Since)
			}
		}
		for _, state := range worst {
			if c.States[state] > 0 {
				c.State = state
				break
			}
		}
		if runs > 0 {
			c.Uptime, c.Latency = fmt.Sprintf("%d/%d (%.1f%%)", passed, runs, float64(passed)/float64(runs)*100), fmt.Sprintf("%dms", slowest)
		}
	}
}

func later(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}
