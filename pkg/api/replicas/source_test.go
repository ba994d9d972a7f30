package replicas

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"fanout/pkg/api"
	"fanout/pkg/shard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// replica is a Source that knows one agent, and the Canary of its own name.
type replica string

func (r replica) teller() api.Teller { return api.Teller{Replica: string(r)} }

func (r replica) Agents(_ context.Context, namespaces ...string) (api.Agents, error) {
	return api.Agents{Teller: r.teller(), Items: []api.Agent{{Name: "agent-of-" + string(r), Selected: len(namespaces)}}}, nil
}

func (r replica) Canaries(context.Context, string) (api.Canaries, error) {
	return api.Canaries{Teller: r.teller(), Items: []api.Canary{{Name: string(r)}}}, nil
}

func (r replica) Canary(_ context.Context, _, name string) (api.OneCanary, error) {
	switch name {
	case string(r):
		return api.OneCanary{Teller: r.teller(), Canary: api.Canary{Name: name}}, nil
	case "none":
		return api.OneCanary{}, fmt.Errorf("%w: there is none", api.ErrNotFound)
	default:
		return api.OneCanary{}, fmt.Errorf("%w: another replica tells", api.ErrNotKnown)
	}
}

func (r replica) Find(_ context.Context, agent, _, _ string) (api.OneFound, error) {
	if agent != "agent-of-"+string(r) {
		return api.OneFound{}, fmt.Errorf("%w: another replica works with it", api.ErrNotKnown)
	}
	return api.OneFound{Teller: r.teller(), Found: api.Found{Owner: string(r)}}, nil
}

func (replica) Changed() <-chan struct{} { return nil }

// group are replicas, of which each is asked over HTTP.
type group struct {
	mu       sync.Mutex
	contacts []shard.Contact
	servers  map[string]*httptest.Server
}

func (g *group) list() []shard.Contact {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.contacts)
}

func (g *group) join(t *testing.T, name string) {
	t.Helper()
	server := httptest.NewTLSServer(api.NewHandler(replica(name)))
	t.Cleanup(server.Close)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.servers[name] = server
	g.contacts = append(g.contacts, shard.Contact{Replica: name, Address: strings.TrimPrefix(server.URL, "https://")})
}

func (g *group) leave(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.contacts = slices.DeleteFunc(g.contacts, func(c shard.Contact) bool { return c.Replica == name })
}

func (g *group) client(c shard.Contact) *http.Client { return g.servers[c.Replica].Client() }

func TestOneTellsWhatAllKnow(t *testing.T) {
	g := &group{servers: map[string]*httptest.Server{}}
	g.join(t, "r1")
	g.join(t, "r2")
	s := New(Options{Own: replica("r0"), Name: "r0", Others: g.list, Client: g.client})
	defer s.Close()
	ctx := t.Context()
	know := func(want, silent []string) {
		t.Helper()
		agents, err := s.Agents(ctx, "a", "b")
		canaries, errCanaries := s.Canaries(ctx, "")
		var names []string
		for _, a := range agents.Items {
			if a.Selected != 2 {
				t.Errorf("it was asked for %d namespaces", a.Selected)
			}
			names = append(names, strings.TrimPrefix(a.Name, "agent-of-"))
		}
		if err != nil || errCanaries != nil || !slices.Equal(names, want) || len(canaries.Items) != len(want) {
			t.Errorf("%v, %v: %q, %+v", err, errCanaries, names, canaries)
		}
		for _, teller := range []api.Teller{agents.Teller, canaries.Teller} {
			if isWhole := len(silent) == 0; !slices.Equal(teller.Silent, silent) || (teller.Replica == "") != isWhole {
				t.Errorf("it signs as %+v", teller)
			}
		}
	}
	know([]string{"r0", "r1", "r2"}, nil)
	for _, name := range []string{"r0", "r2"} {
		one, err := s.Canary(ctx, "payments", name)
		found, errFound := s.Find(ctx, "agent-of-"+name, "payments", name)
		if err != nil || errFound != nil || one.Canary.Name != name || found.Found.Owner != name || one.Teller.Replica+found.Teller.Replica != "" {
			t.Errorf("%v, %v: %+v, %+v", err, errFound, one, found)
		}
	}
	if _, err := s.Canary(ctx, "payments", "none"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("%v", err)
	}

	t.Log("one ends without a word")
	g.servers["r2"].Close()
	know([]string{"r0", "r1"}, []string{"r2"})
	if _, err := s.Canary(ctx, "payments", "r2"); !errors.Is(err, api.ErrNotKnown) || !strings.Contains(err.Error(), "ask r2: ") {
		t.Errorf("%v", err)
	}
	g.leave("r2")
	know([]string{"r0", "r1"}, nil)
	g.join(t, "r3")
	know([]string{"r0", "r1", "r3"}, nil)
}

func TestOthersMayHaveChangedAfterAWhile(t *testing.T) {
	g := &group{servers: map[string]*httptest.Server{}}
	g.join(t, "r1")
	s := New(Options{Own: replica("r0"), Name: "r0", Others: g.list, Client: g.client})
	<-s.Changed()
	waits := s.Changed()
	s.Close()
	select {
	case <-waits:
		t.Error("it says that something changed as soon as it is asked")
	default:
	}
}
