package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"

	"fanout/pkg/api"
	"fanout/pkg/api/statuses"
)

// deaf is a controller that does not answer for agents, but so many times.
type deaf struct {
	*canned
	answers chan struct{} // one for each time
}

func (d deaf) Agents(ctx context.Context, _ ...string) (api.Agents, error) {
	select {
	case <-d.answers:
		return d.canned.Agents(ctx)
	default:
		return api.Agents{}, errDeaf
	}
}

var errDeaf = errors.New("the line is dead")

// emptyHub is where no Canary and no Secret is.
func emptyHub(t *testing.T) *statuses.Source {
	t.Helper()
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(r.URL.Path, "/canaries") {
			_, _ = w.Write([]byte(`{"apiVersion":"canaries.flanksource.com/v1","kind":"CanaryList","items":[]}`))
			return
		}
		_, _ = w.Write([]byte(`{"apiVersion":"v1","kind":"SecretList","items":[]}`))
	}))
	t.Cleanup(hub.Close)
	source, err := statuses.Open(&rest.Config{Host: hub.URL, QPS: -1}, "fanout-system")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return source
}

// A page asks many questions at the same time. Those that a controller does not answer are answered from the hub, and it is said why.
func TestFallbackIsAskedManyThingsAtOnce(t *testing.T) {
	f := &fallback{controllers: deaf{canned: aFleet()}, statuses: emptyHub(t)}
	var asking sync.WaitGroup
	for range 20 {
		asking.Go(func() {
			f.Changed()
			if agents, err := f.Agents(t.Context()); err != nil || len(agents.Items) != 1 {
				t.Errorf("agents %v: %v", agents.Items, err)
			}
			if _, err := f.Find(t.Context(), "local", "payments", "api-health"); !errors.Is(err, api.ErrNotKnown) {
				t.Errorf("it found what only a controller can: %v", err)
			}
		})
	}
	asking.Wait()
	var said strings.Builder
	if f.tell(&said); !strings.Contains(said.String(), errDeaf.Error()) {
		t.Errorf("it does not say why: %s", said.String())
	}
}

// Controllers that have answered once stay: two answers of one command are not to come from different sources. A question that was broken
// off says nothing of them.
func TestFallbackStaysWithWhoeverAnswered(t *testing.T) {
	answers := make(chan struct{}, 1)
	f := &fallback{controllers: deaf{aFleet(), answers}, statuses: emptyHub(t)}
	if !f.accepts(context.Canceled) {
		t.Error("it asks again for what nobody waits for")
	}
	answers <- struct{}{}
	if agents, err := f.Agents(t.Context()); err != nil || len(agents.Items) < 2 {
		t.Fatalf("agents %v: %v", agents.Items, err)
	}
	if _, err := f.Agents(t.Context()); !errors.Is(err, errDeaf) {
		t.Errorf("not the controllers' own error: %v", err)
	}
	if f.source() == api.Source(f.statuses) {
		t.Error("it left the controllers that had answered")
	}
}
