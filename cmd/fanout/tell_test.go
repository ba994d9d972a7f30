package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
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

func TestAnswersToTheNameOfThisHostAlone(t *testing.T) {
	handler := asLocalhost(api.NewHandler(newSource(&health{}, defaultFlags())))
	for host, code := range map[string]int{
		"localhost:8082": 503, "127.0.0.1:8082": 503, "[::1]:8082": 503, "::1": 503, "fanout": 503, "10.0.0.1": 503,
		"rebound.example.com:8082": 421, "rebound.example.com": 421, "localhost.": 421, "127.0.0.1.example.com": 421,
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/agents", nil)
		request.Host = host
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		var problem api.Problem
		if answer.Code != code || json.Unmarshal(answer.Body.Bytes(), &problem) != nil || problem.Error == "" {
			t.Errorf("%s: %d %s", host, answer.Code, answer.Body)
		}
	}
}

func TestWhereNothingIsToldNothingListens(t *testing.T) {
	for _, addresses := range [][]string{nil, {"0"}} {
		f := defaultFlags()
		f.api.bindAddresses, f.clusterNamespace = addresses, "fanout-system"
		if err := f.validate(); err != nil || f.api.tells() {
			t.Errorf("%q: %v", addresses, err)
		}
	}
}
