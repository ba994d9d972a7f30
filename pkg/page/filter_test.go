package page

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"fanout/pkg/api"
)

// small is a source of a few things that can be told by heart.
func small(t *testing.T) *snapshot {
	t.Helper()
	source := sample(0, 0)
	for name, a := range map[string]api.Agent{
		"eu-1": {State: "Connected", Labels: map[string]string{"region": "eu"}}, "eu-2": {State: "Unreachable", Labels: map[string]string{"region": "eu"}},
		"us-1": {State: "Connected", Labels: map[string]string{"region": "us"}}, "lone": {State: "Connected"},
	} {
		a.Name = name
		source.AddAgent(a)
	}
	on := func(namespace, name string, states map[string]string) {
		c := api.Canary{Namespace: namespace, Name: name, Selector: []string{"*"}}
		for agent, state := range states {
			state, out, _ := strings.Cut(state, " ")
			made := api.Copy{Agent: agent, State: state, InSync: out == "", SelectedBy: "*"}
			if out != "" {
				made.OutOfSync = &api.Condition{Reason: out}
			}
			c.Copies = append(c.Copies, made)
		}
		source.Add(c)
	}
	on("a", "fine", map[string]string{"eu-1": "Passed", "us-1": "Passed"})
	on("a", "fails", map[string]string{"eu-1": "Passed", "us-1": "Failed", "eu-2": "Unreachable"})
	on("b", "behind", map[string]string{"eu-1": "Passed Conflict", "lone": "Missing Conflict"})
	p := New(source, clock.RealClock{})
	t.Cleanup(p.Close)
	return p.snapshot(context.Background())
}

func TestWhatIsShown(t *testing.T) {
	s := small(t)
	for _, test := range []struct{ query, canaries, agents string }{
		{"", "a/fails b/behind a/fine", "us-1 eu-2 eu-1 lone"},
		{"sort=name", "a/fails a/fine b/behind", "eu-1 eu-2 lone us-1"},
		{"canary=FIN", "a/fine", "us-1 eu-2 eu-1 lone"},
		{"canary=b/", "b/behind", "us-1 eu-2 eu-1 lone"},
		{"state=failed", "a/fails", "us-1"},
		{"state=passed", "a/fails b/behind a/fine", "us-1 eu-1"},
		{"state=trouble", "a/fails b/behind", "us-1 eu-2 eu-1 lone"},
		{"state=out-of-sync", "b/behind", "eu-1 lone"},
		{"state=stale", "", ""},
		{"state=nonsense", "a/fails b/behind a/fine", "us-1 eu-2 eu-1 lone"},
		{"agent=eu", "a/fails b/behind a/fine", "eu-2 eu-1"},
		{"agent=region%3Dus", "a/fails a/fine", "us-1"},
		{"agent=region%3Dus&state=failed", "a/fails", "us-1"},
		{"agent=lone&state=failed", "", ""},
		{"by=region", "a/fails b/behind a/fine", "us: us-1 eu: eu-2 eu-1 : lone"},
		{"by=region&sort=name", "a/fails a/fine b/behind", "eu: eu-1 eu-2 us: us-1 : lone"},
		{"by=name-", "a/fails b/behind a/fine", "us: us-1 eu: eu-2 eu-1 lone: lone"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/?"+test.query, nil)
		q := parseQuery("/", r.URL.Query())
		c := s.choose(context.Background(), q)
		var canaries, agents []string
		for _, i := range c.canaries {
			canaries = append(canaries, s.canaries[i].Namespace+"/"+s.canaries[i].Name)
		}
		for _, g := range c.groups {
			if q.By != "" {
				agents = append(agents, g.Name+":")
			}
			for _, place := range g.agents {
				agents = append(agents, s.agents[place].Name)
			}
		}
		if got := strings.Join(canaries, " "); got != test.canaries {
			t.Errorf("%q: Canaries %q, not %q", test.query, got, test.canaries)
		}
		if got := strings.Join(agents, " "); got != test.agents {
			t.Errorf("%q: agents %q, not %q", test.query, got, test.agents)
		}
	}
}

// What a chip counts is what it leads to.
func TestChipsCountWhatTheyLeadTo(t *testing.T) {
	s := small(t)
	counts := func(q query) (list []int) {
		c := s.choose(context.Background(), q)
		for _, chip := range chipsOf(&c.tally, q) {
			list = append(list, chip.Count)
		}
		return list
	}
	// trouble, failed, missing, unreachable, passed, out of sync
	if got, want := counts(query{}), []int{4, 1, 1, 1, 4, 2}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	if got, want := counts(query{Agent: "-"}), []int{3, 1, 1, 4, 1}; !slices.Equal(got, want) {
		t.Errorf("of some agents: %v, not %v", got, want)
	}
}

// No cell is told by its colour alone.
func TestACellSaysItsStateInWords(t *testing.T) {
	now := noon()
	since := now.Add(-3 * time.Hour)
	for _, l := range looks {
		c := cellOf(&api.Copy{State: l.Name, LastTransition: &since, OutOfSync: &api.Condition{Reason: "Conflict"}})
		if got, want := string(c.appendHTML(nil, now)), `<td class="`+l.Class+` out"><b>`+l.Name+", out of sync</b> 3h\n"; got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	if got := string(cell{}.appendHTML(nil, now)); !strings.Contains(got, "<b>not selected</b>") {
		t.Error(got)
	}
	if got := string(cellOf(&api.Copy{State: "<b>"}).appendHTML(nil, now)); !strings.Contains(got, "<b>Unknown</b>") {
		t.Error(got)
	}
	group := tally{}
	group.add(cellOf(&api.Copy{State: "Failed"}))
	group.add(cellOf(&api.Copy{State: "Passed"}))
	if got := string(group.appendHTML(nil)); got != `<td class="s-failed"><b>Failed</b> 1/2`+"\n" {
		t.Error(got)
	}
}

func TestAge(t *testing.T) {
	for seconds, want := range map[int64]string{-5: "now", 0: "now", 59: "now", 60: "1m", 3599: "59m", 3600: "1h", 47*3600 + 3599: "47h", 48 * 3600: "2d"} {
		if got := age(noon(), noon().Unix()-seconds); got != want {
			t.Errorf("%d seconds: %s", seconds, got)
		}
	}
}

// The selector page says of each agent why it is selected, as the selector itself does.
func TestSelectorIsExplained(t *testing.T) {
	s := small(t)
	c := api.Canary{Selector: []string{"eu-*", "region in (eu,us)", "!us-*", "!nobody", " eu-* "}, Copies: []api.Copy{{Agent: "eu-1", SelectedBy: "eu-*"}, {Agent: "eu-2", SelectedBy: "eu-*"}}}
	e := s.explain(&c)
	var got []int
	for _, entry := range e.Entries {
		got = append(got, entry.Count)
	}
	if want := []int{2, 0, 1, 0, 0}; !slices.Equal(got, want) || e.Rest != 1 || e.OnlyExclusions {
		t.Errorf("%v, and %d that no entry speaks of", got, e.Rest)
	}
	if e = s.explain(&api.Canary{Selector: []string{"!us-*"}}); !e.OnlyExclusions || e.Entries[0].Count != 1 {
		t.Errorf("%+v", e)
	}
	if e = s.explain(&api.Canary{Selector: []string{"eu-["}}); len(e.Entries) != 1 {
		t.Errorf("%+v", e)
	}
}
