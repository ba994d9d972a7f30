package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"fanout/pkg/api"
)

func TestTellsWhoKnows(t *testing.T) {
	f := defaultFlags()
	health := &health{}
	s := newSource(health, f)
	says := func(what string) {
		t.Helper()
		_, err := s.Canary(t.Context(), "payments", "api-health")
		if !errors.Is(err, api.ErrNotKnown) || !strings.Contains(err.Error(), what) {
			t.Errorf("%v", err)
		}
	}
	says("the hub has not answered yet")
	health.ready.Store(true)
	says("nobody works at the moment")

	waiting := s.Changed()
	done := s.tellOf(another{})
	select {
	case <-waiting:
	default:
		t.Error("who waits is not told that somebody works now")
	}
	if _, err := s.Agents(t.Context()); err != nil {
		t.Error(err)
	}
	done()
	says("nobody works at the moment")
}

// another is a Source that knows.
type another struct{ api.Source }

func (another) Agents(context.Context, ...string) (api.Agents, error) { return api.Agents{}, nil }
