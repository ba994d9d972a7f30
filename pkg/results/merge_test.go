package results

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// merge is merged in values.
func merge(parts ...[]Agent) []Agent {
	var agents []Agent
	for _, a := range merged(parts...) {
		agents = append(agents, *a)
	}
	return agents
}

func TestMerge(t *testing.T) {
	fresh := agent("a", passing(0))
	older := with(agent("a", failing(0, "no")), func(a *Agent) { a.Result.Heard = StampOf(noon.Add(-time.Minute)) })
	for _, row := range []struct {
		name           string
		counts, yields Agent
	}{
		{"heard of later", fresh, older},
		{"heard of at all", older, with(fresh, unheard)},
		{"can be reached", older, with(fresh, away)},
		{"heard that there is no copy", with(fresh, noCopy), with(fresh, unheard)},
		{"not reached, and not heard", with(older, away), with(fresh, unheard)},
	} {
		other := agent("b", passing(0))
		for _, parts := range [][][]Agent{{{row.counts, other}, {row.yields}}, {{row.yields}, {other, row.counts}}, {{row.yields, row.counts, other}}} {
			if diff := cmp.Diff([]Agent{row.counts, other}, merge(parts...)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", row.name, diff)
			}
		}
	}
}

// What one replica knows reaches another as JSON.
func TestAgentsTravel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := drawAgent(t, "a")
		sent.Before = &Entry{Message: "Passed"}
		text, err := json.Marshal(sent)
		if err != nil {
			t.Fatal(err)
		}
		var received Agent
		if err := json.Unmarshal(text, &received); err != nil {
			t.Fatal(err)
		}
		// What a controller writes of a condition is its own, so only its valid text is promised.
		sent.Out.Detail, sent.Away.Detail = received.Out.Detail, received.Away.Detail
		if diff := cmp.Diff(sent, received); diff != "" {
			t.Fatalf("it arrives changed:\n%s", diff)
		}
	})
}
