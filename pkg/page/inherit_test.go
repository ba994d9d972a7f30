package page

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"fanout/pkg/api"
	"fanout/pkg/page/pagetest"
)

// Rows are asked for again where a copy fares otherwise, and no others.
func TestRowsServeWhileNothingChanges(t *testing.T) {
	now := clocktesting.NewFakeClock(noon())
	source := &asks{Sample: sample(12, 8)}
	p := New(source, clock.Clock(now))
	defer p.Close()
	const first, second = "eu-west-prod-1", "us-east-prod-1"
	names := [][2]string{}
	moment := func() (asked int64) {
		t.Helper()
		now.Step(pace)
		s := p.snapshot(t.Context())
		before := source.canaries.Load()
		names = names[:0]
		for i := range s.canaries {
			row := s.row(t.Context(), i)
			names = append(names, [2]string{row.canary.Namespace, row.canary.Name})
			want, err := source.Sample.Canary(t.Context(), row.canary.Namespace, row.canary.Name)
			if err != nil {
				t.Fatal(err)
			}
			for j := range want.Canary.Copies {
				c := &want.Canary.Copies[j]
				if got := row.cells[s.places[c.Agent]].state().Name; got != c.State {
					t.Errorf("%s/%s is %s on %s, and shown as %s", row.canary.Namespace, row.canary.Name, c.State, c.Agent, got)
				}
			}
		}
		return source.canaries.Load() - before
	}
	expect := func(what string, want int64) {
		t.Helper()
		if got := moment(); got != want {
			t.Errorf("%s: %d Canaries are asked for, not %d", what, got, want)
		}
	}
	set := func(n int, agent, state string) {
		source.Change(names[n][0], names[n][1], agent, func(c *api.Copy) { c.State = state })
	}
	expect("at first", 8)
	for n := range names { // as a start from which all is known
		set(n, first, "Passed")
		set(n, second, "Failed")
	}
	moment()
	set(0, first, "Passed")
	expect("nothing", 0)
	set(2, first, "Failed")
	expect("one copy", 1)
	set(3, first, "Failed")
	set(3, second, "Passed")
	expect("two that make up for each other", 8)
	now.Step(maxAge)
	expect("nothing, for long", 8)
	source.AddAgent(api.Agent{Name: "another", State: "Connected"})
	expect("another agent", 8)
}

// slow is a Source that takes a second for each Canary, and some time for lists.
type slow struct {
	*pagetest.Sample
	clock *clocktesting.FakeClock
	lists time.Duration
}

func (s *slow) Agents(ctx context.Context, namespaces ...string) (api.Agents, error) {
	s.clock.Step(s.lists)
	return s.Sample.Agents(ctx, namespaces...)
}

func (s *slow) Canary(ctx context.Context, namespace, name string) (api.OneCanary, error) {
	s.clock.Step(time.Second)
	return s.Sample.Canary(ctx, namespace, name)
}

// What takes long is asked for less often, so that open pages have a bounded share of the controller.
func TestWhatTakesLongServesLonger(t *testing.T) {
	now := clocktesting.NewFakeClock(noon())
	source := &slow{Sample: sample(3, 2), clock: now}
	p := New(source, now)
	defer p.Close()
	first := p.snapshot(t.Context())
	source.SetError(nil) // which says that something has changed
	if now.Step(pace); p.snapshot(t.Context()) == first {
		t.Error("an outdated snapshot serves, though it took no time")
	}
	second := p.snapshot(t.Context())
	second.row(t.Context(), 0)
	second.row(t.Context(), 1)
	source.SetError(nil)
	if now.Step(maxShare*2*time.Second - 2*time.Second - time.Millisecond); p.snapshot(t.Context()) != second {
		t.Error("one that took two seconds does not serve for four")
	}
	if now.Step(time.Millisecond); p.snapshot(t.Context()) == second {
		t.Error("one that took two seconds serves for longer than four")
	}
	for what, ask := range map[string]func() *snapshot{
		"the page of one Canary": func() *snapshot {
			s := p.snapshot(t.Context())
			r := httptest.NewRequest(http.MethodGet, "/canaries/search/dns", nil)
			r.SetPathValue("namespace", s.canaries[0].Namespace)
			r.SetPathValue("name", s.canaries[0].Name)
			s.fragment(r, canaryView)
			return s
		},
		"lists": func() *snapshot {
			source.lists = time.Second
			defer func() { source.lists = 0 }()
			return p.snapshot(t.Context())
		},
	} {
		source.SetError(nil)
		now.Step(maxAge)
		s := ask()
		source.SetError(nil)
		if now.Step(maxShare*time.Second - time.Second - time.Millisecond); p.snapshot(t.Context()) != s {
			t.Errorf("%s took a second, which does not serve for two", what)
		}
		if now.Step(time.Millisecond); p.snapshot(t.Context()) == s {
			t.Errorf("%s took a second, which serves for longer than two", what)
		}
	}
}
