package results

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// wire is a status after a journey as JSON, as the hub's watch brings it.
func wire(t rapid.TB, status map[string]any) map[string]any {
	text, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	var received map[string]any
	if err := json.Unmarshal(text, &received); err != nil {
		t.Fatal(err)
	}
	return received
}

func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, agents := drawParent(t), drawAgents(t)
		twice := append(slices.Clone(agents), drawAgents(t)...) // some of the same agents, known twice
		permuted := rapid.Permutation(twice).Draw(t, "permuted")
		a, b := aggregate(p, twice...), aggregate(p, permuted...)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatalf("the order makes a difference:\n%s", diff)
		}
		cut := rapid.IntRange(0, len(permuted)).Draw(t, "cut")
		merged := merge(merge(permuted[cut:]), merge(permuted[:cut]), permuted)
		if diff := cmp.Diff(merge(twice), merged); diff != "" {
			t.Fatalf("what parts know does not come to what the whole does:\n%s", diff)
		}
	})
}

// What was written is aggregated to itself: again, and by a fanout that has just started and heard nothing, or of no member.
func TestWhatWasWrittenStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, agents := drawParent(t), drawAgents(t)
		first := aggregate(p, agents...)
		live := wire(t, first.Status)
		shown := ReadShown(live)
		if shown.Generation = p.Generation; !cmp.Equal(first.Shown, shown) {
			t.Fatalf("what it shows is read back otherwise:\n%s", cmp.Diff(first.Shown, shown))
		}
		later := noon.Add(time.Hour)
		if first.Next.IsZero() {
			if diff := cmp.Diff(first.Status, Aggregate(p, agents, shown, later).Status); diff != "" {
				t.Fatalf("nothing was to change by time, but:\n%s", diff)
			}
		} else if !first.Next.After(noon) {
			t.Fatalf("it is to change at %s, which was before", first.Next)
		} else if diff := cmp.Diff(first.Status, Aggregate(p, agents, shown, first.Next.Add(-1)).Status); diff != "" {
			t.Fatalf("it has changed before its time:\n%s", diff)
		}

		entries := ReadEntries(live)
		restarted := make([]Agent, len(agents))
		for i, a := range agents {
			restarted[i] = Agent{Name: a.Name, Before: entries[a.Name], Unheard: a.Away.Reason == "" || rapid.Bool().Draw(t, "unheard")}
			if !restarted[i].Unheard {
				restarted[i].Away = a.Away
			}
		}
		again := Aggregate(p, restarted, ReadShown(live), later)
		if diff := cmp.Diff(first.Status, again.Status); diff != "" {
			t.Fatalf("after a restart it says something else:\n%s", diff)
		}
		if again.Unknown != 0 {
			t.Fatalf("%d agents are unknown that the status tells of", again.Unknown)
		}
	})
}

// Whatever members write, the hub can take it, and terminals and pages can show it.
func TestNothingHarmfulComesThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		agents := drawAgents(t)
		got := aggregate(drawParent(t), agents...)
		eachText(got.Status, func(path, text string) {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("%s is %q", path, text)
			}
			if strings.Contains(path, "last") {
				if when, err := time.Parse(time.RFC3339, text); err != nil || when.Year() > 2106 {
					t.Fatalf("%s is %q", path, text)
				}
			}
		})
		for i := range agents {
			r := &agents[i].Result
			size := len(r.Error) + len(r.Message)
			if r.Odd != nil {
				size += len(r.Odd.Status) + len(r.Odd.Uptime) + len(r.Odd.Latency) + len(r.Odd.LastCheck)
			}
			if size > maxTexts {
				t.Fatalf("%d bytes are kept of %+v", size, r)
			}
		}
	})
}

func eachText(value any, do func(path, text string)) {
	switch value := value.(type) {
	case map[string]any:
		for key, value := range value {
			eachText(value, func(path, text string) { do(key+"."+path, text) })
		}
	case string:
		do("", value)
	}
}

func TestClip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, limit := texts.Draw(t, "text"), rapid.IntRange(0, 300).Draw(t, "limit")
		got := clip(text, limit)
		if again := clip(got, limit); again != got {
			t.Fatalf("clipped twice, %q is %q", got, again)
		}
		if len(got) > limit || !utf8.ValidString(got) || isPlain(got) && Harmless(got) != got {
			t.Fatalf("clipped to %d bytes, %q is %q", limit, text, got)
		}
		if whole := Harmless(text); len(whole) <= limit && limit >= 3 && len(text) <= 4*limit && got != whole {
			t.Fatalf("%q is %q, and should be %q", text, got, whole)
		}
		if marshaled, _ := json.Marshal(got); len(marshaled) != jsonSize(got) {
			t.Fatalf("%q takes %d bytes in JSON, not %d", got, len(marshaled), jsonSize(got))
		}
	})
}

func TestNumbersAreReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runs := rapid.Uint32Range(1, maxRuns).Draw(t, "runs")
		passed := rapid.Uint32Range(0, runs).Draw(t, "passed")
		if p, r, ok := parseUptime(formatUptime(uint64(passed), uint64(runs))); p != passed || r != runs || !ok {
			t.Fatalf("%d of %d is read as %d of %d", passed, runs, p, r)
		}
		written := formatLatency(rapid.Uint32Range(0, uint32(maxLatency.Milliseconds())).Draw(t, "latency"))
		ms, ok := parseLatency(written)
		if !ok || formatLatency(ms) != written {
			t.Fatalf("%s is read as %d ms", written, ms)
		}
	})
}
