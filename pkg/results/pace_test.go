package results

import (
	"fmt"
	"testing"
	"time"
)

func TestDue(t *testing.T) {
	passed, failed := aggregate(every30s(), agent("a", passing(0))), aggregate(every30s(), agent("a", failing(0, "no")))
	before := aggregate(every30s(), agent("a", passing(time.Second)))
	otherError := aggregate(every30s(), agent("a", failing(0, "neither")))
	unknown := aggregate(every30s(), agent("a", passing(0)), with(Agent{Name: "b"}, unheard))
	// Somebody else has an entry in it that looks like fanout's.
	var shared Written
	before.Status["checkStatus"].(map[string]any)["z"] = map[string]any{"message": "Failed"}
	shared.Wrote(&before, ReadShown(before.Status), noon)
	changed := shared
	changed.Shown = failed.Shown
	never := time.Time{}
	many := func(at time.Duration) (all []Agent) {
		for i := range 300 {
			all = append(all, agent(fmt.Sprint(i), passing(at)))
		}
		return all
	}
	ofMany, ofManyLater := aggregate(every30s(), many(0)...), aggregate(every30s(), many(time.Second)...)
	for _, row := range []struct {
		name    string
		written Written
		next    Aggregated
		want    time.Time
	}{
		{"nothing has changed", Written{Shown: passed.Shown}, passed, never},
		{"nothing is there", Written{}, passed, never.Add(TransitionPause)},
		{"a transition", Written{Shown: passed.Shown, At: noon.Add(-time.Hour)}, failed, noon.Add(-time.Hour + TransitionPause)},
		{"a transition after a write", Written{Shown: passed.Shown, At: noon}, failed, noon.Add(TransitionPause)},
		{"a later check", Written{Shown: before.Shown, At: noon}, passed, noon.Add(UpdatePause)},
		{"another error", Written{Shown: failed.Shown, At: noon}, otherError, noon.Add(UpdatePause)},
		{"a later check of many agents", Written{Shown: ofMany.Shown, At: noon}, ofManyLater, noon.Add(30 * time.Second)},
		{"another agent", Written{Shown: passed.Shown, At: noon}, aggregate(every30s(), agent("b", passing(0))), noon.Add(TransitionPause)},
		{"members that were not heard", Written{Shown: passed.Shown, Patience: noon.Add(time.Minute)}, unknown, noon.Add(time.Minute)},
		{"members that are not heard", Written{Shown: passed.Shown, Patience: noon}, unknown, never.Add(TransitionPause)},
		{"somebody added to it, and fanout can't take that away", shared, before, never},
		{"somebody added to it, and a later check", shared, passed, noon.Add(UpdatePause)},
		{"somebody added to it, and a transition", shared, failed, noon.Add(TransitionPause)},
		{"somebody changed it since", changed, before, noon.Add(TransitionPause)},
	} {
		t.Run(row.name, func(t *testing.T) {
			at, ok := row.written.Due(&row.next, noon)
			if ok != !row.want.IsZero() || !at.Equal(row.want) {
				t.Errorf("it is due at %s (%t), and not at %s", at, ok, row.want)
			}
		})
	}
}

// However often it changes, a parent is written no more often than the rule allows, and the last change always arrives.
func TestPaceOfAStorm(t *testing.T) {
	passOrFail := func(i int) any {
		if i%2 == 0 {
			return failing(0, "no")
		}
		return passing(0)
	}
	for _, row := range []struct {
		name   string
		agents int
		next   func(i int) any
		second time.Duration // is written no later than so long after the first
		most   int
	}{
		{"latencies", 1, func(i int) any {
			status := passing(0)
			status["latency1h"] = formatLatency(uint32(i))
			return status
		}, UpdatePause, 7},
		{"transitions", 1, passOrFail, time.Second, 87},
		{"transitions of many agents", 200, passOrFail, time.Second, 33},
	} {
		t.Run(row.name, func(t *testing.T) {
			agents := func(i int) (all []Agent) {
				for n := range row.agents {
					all = append(all, agent(fmt.Sprint(n), row.next(i)))
				}
				return all
			}
			var w Written
			var wake time.Time
			var written []time.Time
			now := noon
			look := func(i int) {
				next := Aggregate(every30s(), agents(i), w.Shown, noon)
				at, ok := w.Due(&next, now)
				if wake = at; ok && !at.After(now) {
					written = append(written, now)
					w.Wrote(&next, ReadShown(next.Status), now)
					wake = time.Time{}
				}
			}
			i := 0
			for ; i < 600; i++ { // a minute, with a change each 100 ms
				now = noon.Add(time.Duration(i) * 100 * time.Millisecond)
				look(i)
			}
			for !wake.IsZero() {
				now = wake
				look(i - 1)
			}
			if writes := len(written); writes > row.most || writes < row.most/2 {
				t.Errorf("%d writes, and not about %d", writes, row.most)
			}
			if second := written[1].Sub(written[0]); second > row.second {
				t.Errorf("the second write comes %s after the first", second)
			}
			if want := aggregate(every30s(), agents(i-1)...); w.Shown.Shape != want.Shown.Shape {
				t.Errorf("in the end it says %v", w.Shown)
			}
		})
	}
}
