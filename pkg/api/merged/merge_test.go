package merged

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fanout/pkg/api"
)

// Each of those that share the members knows its own, and together they know all.
func TestMerge(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	later := noon.Add(time.Second)
	one, two := api.Teller{Version: "v1.0.0", Replica: "fanout-0", Time: noon}, api.Teller{Version: "v1.0.0", Replica: "fanout-1", Time: later}
	both := api.Teller{Version: "v1.0.0", Time: later}

	agents := mergeAgents([]api.Agents{
		{Teller: one, Items: []api.Agent{{Name: "b"}, {Name: "c", InSync: 3}}},
		{Teller: two, Items: []api.Agent{{Name: "a", InSync: 1}, {Name: "b", ServerVersion: "v1.34.0", InSync: 2}}},
	})
	same(t, "agents", agents, api.Agents{Teller: both, Items: []api.Agent{{Name: "a", InSync: 1}, {Name: "b", ServerVersion: "v1.34.0", InSync: 2}, {Name: "c", InSync: 3}}})

	a, b := api.Canary{Namespace: "x", Name: "a", Agents: 2}, api.Canary{Namespace: "x", Name: "b", Agents: 3}
	other, moving := api.Canary{Namespace: "a", Name: "z"}, api.Canary{Namespace: "x", Name: "b", Agents: 2}
	canaries := mergeCanaries([]api.Canaries{{Teller: one, Items: []api.Canary{a, b}}, {Teller: two, Items: []api.Canary{other, moving}}})
	same(t, "canaries", canaries, api.Canaries{Teller: both, Items: []api.Canary{other, a, b}})
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// knows is a Source that answers as a replica does that knows one agent, or with an error. Without a name it tells for all.
type knows struct {
	api.Source
	replica, agent string
	err            error
}

func (k knows) Agents(context.Context, ...string) (api.Agents, error) {
	return api.Agents{Teller: api.Teller{Replica: k.replica}, Items: []api.Agent{{Name: k.agent}}}, k.err
}

func (k knows) Canary(context.Context, string, string) (api.OneCanary, error) {
	return api.OneCanary{Teller: api.Teller{Replica: k.replica}, Canary: api.Canary{Name: k.agent}}, k.err
}

func TestAsksAll(t *testing.T) {
	away := errors.New("connection refused")
	elsewhere := fmt.Errorf("%w: another replica tells", api.ErrNotKnown)
	nothing := fmt.Errorf("%w: there is none", api.ErrNotFound)
	for name, row := range map[string]struct {
		all    []knows
		agents string
		silent []string
		err    error
		says   string
	}{
		"each its own":                      {all: []knows{{replica: "r0", agent: "a"}, {replica: "r1", agent: "b"}}, agents: "a b"},
		"one does not answer":               {all: []knows{{replica: "r0", agent: "a"}, {err: away}}, agents: "a", silent: []string{"pod 1"}},
		"one tells for all":                 {all: []knows{{err: elsewhere}, {agent: "a"}, {replica: "r2", agent: "c"}}, agents: "a"},
		"none is found by any":              {all: []knows{{err: away}, {err: nothing}, {err: elsewhere}}, err: api.ErrNotFound, says: "there is none"},
		"who does not answer is told first": {all: []knows{{err: elsewhere}, {err: away}}, err: away, says: "ask pod 1: connection refused"},
		"nobody is asked":                   {err: api.ErrNotKnown, says: "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			var all []One
			for i, k := range row.all {
				all = append(all, One{Name: fmt.Sprintf("pod %d", i), Source: k})
			}
			answer, err := Agents(t.Context(), all)
			_, errOne := Canary(t.Context(), all, "payments", "api-health")
			if row.err != nil {
				for _, err := range []error{err, errOne} {
					if !errors.Is(err, row.err) || !strings.Contains(err.Error(), row.says) {
						t.Errorf("%v", err)
					}
				}
				return
			}
			var names []string
			for _, a := range answer.Items {
				names = append(names, a.Name)
			}
			if err != nil || errOne != nil || strings.Join(names, " ") != row.agents {
				t.Errorf("%v, %v: %q", err, errOne, names)
			}
			same(t, "who is silent", answer.Teller.Silent, row.silent)
		})
	}
}

func (k knows) Changed() <-chan struct{} {
	changed := make(chan struct{})
	if k.agent != "" {
		close(changed)
	}
	return changed
}

func TestChangesOfAny(t *testing.T) {
	done := make(chan struct{})
	<-Changed([]One{{Source: knows{}}, {Source: knows{agent: "a"}}}, done)
	<-Changed([]One{{Source: knows{agent: "a"}}}, done)
	waits := Changed([]One{{Source: knows{}}, {Source: knows{}}}, done)
	close(done)
	select {
	case <-waits:
		t.Error("nothing has changed")
	default:
	}
}
