package results

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestEvents(t *testing.T) {
	ok, bad := passing(0), failing(0, "no")
	all := func(agents ...Agent) Aggregated { return aggregate(every30s(), agents...) }
	contested := func(a *Agent) { a.Out = Condition{Reason: "Contested", Detail: "another writer"} }
	edited := every30s()
	edited.Generation = 2
	const inSync, failing, recovered = "InSync", "Failing", "Recovered"
	var many []Agent
	for i := range 60 {
		many = append(many, agent(fmt.Sprintf("m%02d", i), bad))
	}
	for _, row := range []struct {
		name        string
		before, now Aggregated
		want        []string
	}{
		{"first of all", Aggregated{}, all(agent("a", ok)), []string{inSync + ": generation 1 is in sync in all of its agents: 1"}},
		{"not written yet", Aggregated{}, all(with(agent("a", nil), noCopy)), nil},
		{"written", all(with(agent("a", nil), noCopy)), all(agent("a", nil)), []string{inSync + ": generation 1 is in sync in all of its agents: 1"}},
		{"the first run", all(agent("a", nil)), all(agent("a", ok)), nil},
		{"another agent, in sync at once", all(agent("a", ok)), all(agent("a", ok), agent("b", ok)), nil},
		{"an edit, in sync at once", all(agent("a", ok)), aggregate(edited, agent("a", ok)),
			[]string{inSync + ": generation 2 is in sync in all of its agents: 1"}},
		{"out of sync", all(agent("a", ok)), all(with(agent("a", ok), contested)), nil},
		{"away and back", all(with(agent("a", ok), away)), all(agent("a", ok)), nil},
		{"one fails", all(agent("a", ok), agent("b", ok)), all(agent("a", ok), agent("b", bad)),
			[]string{failing + ": b: no. In all, 2 agents: 1 passed, 1 failed; 2 in sync"}},
		{"one still fails", all(agent("b", bad)), all(agent("b", failingWith("another"))), nil},
		{"another fails", all(agent("a", ok), agent("b", bad)), all(agent("a", bad), agent("b", bad)),
			[]string{failing + ": a: no. In all, 2 agents: 2 failed; 2 in sync"}},
		{"one of two recovers", all(agent("a", bad), agent("b", bad)), all(agent("a", ok), agent("b", bad)), nil},
		{"all recover", all(agent("a", ok), agent("b", bad)), all(agent("a", ok), agent("b", ok)),
			[]string{recovered + ": no agent fails any more: 2 agents: 2 passed; 2 in sync"}},
		{"what fails goes away", all(agent("a", bad)), all(with(agent("a", bad), away)), nil},
		{"and comes back failing", all(with(agent("a", bad), away)), all(agent("a", bad)), nil},
		{"and comes back well", all(with(agent("a", bad), away)), all(agent("a", ok)),
			[]string{recovered + ": no agent fails any more: 1 agent: 1 passed; 1 in sync"}},
		{"written, and fails", all(with(agent("a", nil), noCopy)), all(agent("a", bad)),
			[]string{inSync + ": generation 1 is in sync in all of its agents: 1", failing + ": a: no. In all, 1 agent: 1 failed; 1 in sync"}},
		{"many fail", Aggregated{}, all(many[:9]...), []string{inSync + ": generation 1 is in sync in all of its agents: 9",
			failing + ": m00: no; m01: no; m02: no; m03: no; m04: no (4 more). In all, 9 agents: 9 failed; 9 in sync"}},
		{"more than are kept", all(many...), all(append(slices.Clone(many), agent("a", bad))...), nil},
		{"one fewer than those", all(many...), all(many[:59]...), nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			// A fanout that has started since knows what the status says, and of which generation it was only if that is the same.
			for before, shown := range map[string]Shown{"running": row.before.Shown, "restarted": ReadShown(row.before.Status)} {
				var got []string
				for _, event := range row.now.Events(shown) {
					got = append(got, event.Reason+": "+event.Message)
					if event.Warning != (event.Reason == failing) {
						t.Errorf("%s is a warning: %t", event.Reason, event.Warning)
					}
				}
				want := row.want
				if before == "restarted" && strings.HasPrefix(row.name, "an edit") {
					want = nil
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", before, diff)
				}
			}
		})
	}
}

func failingWith(err string) map[string]any { return failing(0, err) }

// What stays as it is is no news, and a restart is none either.
func TestNoEventsWithoutATransition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := aggregate(drawParent(t), drawAgents(t)...)
		for _, shown := range []Shown{got.Shown, ReadShown(wire(t, got.Status))} {
			if events := got.Events(shown); len(events) > 0 {
				t.Fatalf("nothing has changed, and there are Events: %v", events)
			}
		}
		for _, event := range got.Events(Shown{}) {
			if event.Message == "" || clip(event.Message, maxEvent) != event.Message {
				t.Fatalf("an Event says %q", event.Message)
			}
		}
	})
}
