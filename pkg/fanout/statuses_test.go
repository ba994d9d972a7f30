package fanout

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"fanout/pkg/clusters"
)

func TestNothingIsWrittenBeforeAllAgentsAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		pass(time.Hour)
		h.hasNotWritten(t)
		h.join(t, passes(0))
		h.Complete()
		pass(time.Second)
		if all := h.writes(); len(all) != 1 || all[0].status["status"] != "Passed" {
			t.Fatalf("written: %v", all)
		}
	})
}

func TestAnAgentOfWhichNothingIsHeardIsWaitedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		h.misses(clusters.Connecting, map[string]string{})
		h.Complete()
		pass(startPatience - time.Second)
		h.hasNotWritten(t)
		pass(2 * time.Second)
		h.says(t, "1 agent: 1 pending; 0 in sync")

		h.misses(clusters.Unreachable, map[string]string{})
		pass(time.Second)
		h.says(t, "1 agent: 1 unreachable; 0 in sync")
		h.join(t, passes(0))
		pass(time.Second)
		h.isIn(t, "Passed")

		t.Log("what was last known of a member that is away stays known")
		h.Leave(member1)
		h.misses(clusters.Unreachable, map[string]string{})
		pass(time.Second)
		mustEqual(t, "entry", h.last(t).status["checkStatus"].(map[string]any)[member1].(map[string]any)["message"],
			any("Unreachable, Passed before"))
		h.Forget(member1)
		pass(time.Second)
		h.says(t, "0 agents: agentSelector matches none of those that are registered")
	})
}

// An agent that can't be reached loses a label, while it can't be, or as it comes back.
func TestAStatusSpeaksOfNoAgentThatIsSelectedNoMore(t *testing.T) {
	prod, dev := map[string]string{"tier": "prod"}, map[string]string{"tier": "dev"}
	for name, relabel := range map[string]func(*testing.T, *aHub){
		"while it is away": func(t *testing.T, h *aHub) {
			h.misses(clusters.Unreachable, dev)
		},
		"as it comes back": func(t *testing.T, h *aHub) {
			joined := memberAt(t, h.member)
			joined.Labels = dev
			h.Join(t.Context(), joined)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := startHub(t, withSelector([]any{"tier=prod"}))
				h.misses(clusters.Unreachable, prod)
				h.Complete()
				pass(time.Second)
				h.says(t, "1 agent: 1 unreachable; 0 in sync")
				relabel(t, h)
				pass(time.Second)
				h.says(t, "0 agents: agentSelector matches none of those that are registered")
			})
		})
	}
}

func TestTransitionsAreWrittenSoonAndTimesSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		h.join(t, passes(0))
		h.Complete()
		pass(time.Minute)
		before := len(h.writes())

		version := 10
		for range 600 { // a minute of news ten times a second
			version++
			h.brings(t, version, passes(0))
			pass(100 * time.Millisecond)
		}
		if n := len(h.writes()) - before; n < 5 || n > 7 {
			t.Errorf("%d writes for a minute of times", n)
		}

		pass(time.Minute)
		before = len(h.writes())
		version++
		h.brings(t, version, fails("refused"))
		pass(time.Second)
		if n := len(h.writes()) - before; n != 1 || h.last(t).status["status"] != "Failed" {
			t.Errorf("%d writes in the second after a transition, the last %v", n, h.last(t))
		}

		before = len(h.writes())
		for i := range 100 { // ten seconds of flapping
			version++
			if i%2 == 0 {
				h.brings(t, version, passes(0))
			} else {
				h.brings(t, version, fails("refused"))
			}
			pass(100 * time.Millisecond)
		}
		if n := len(h.writes()) - before; n < 5 || n > 15 {
			t.Errorf("%d writes for ten seconds of flapping", n)
		}
		pass(time.Second)
		h.isIn(t, "Failed")
	})
}

func TestACopyThatIsNotRunBecomesStaleByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		h.join(t, passes(0))
		h.Complete()
		pass(80 * time.Second)
		h.isIn(t, "Passed")
		pass(20 * time.Second)
		h.isIn(t, "Stale")
	})
}

func TestAStatusThatCouldNotBeWrittenIsWrittenLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		h.refuses.Store(true)
		h.join(t, fails("refused"))
		h.Complete()
		pass(10 * time.Minute)
		if n := h.refused.Load(); n < 10 || n > 25 {
			t.Errorf("it was tried %d times in ten minutes", n)
		}
		if len(h.events) > 0 {
			t.Errorf("told: %s", <-h.events)
		}
		h.refuses.Store(false)
		pass(2 * time.Minute)
		if all := h.writes(); len(all) != 1 {
			t.Errorf("written: %v", all)
		}
	})
}

// What a status says of its agents is remembered while fanout starts, unless it is what fanout has just written.
func TestWhatWasWrittenIsNotRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		h.join(t, passes(0))
		h.Complete()
		pass(time.Second)
		before := h.parents.List()[0].(*parent)
		brings := func(status map[string]any) *parent {
			canary := aParent(withSelector([]any{member1}), withVersion(2), withSpec("schedule", "@every 30s"))
			canary.Object["status"] = status
			kept, err := newParent(thisHub, time.Now, time.Now().Add(time.Hour))(canary)
			if err != nil {
				t.Fatal(err)
			}
			p := kept.(*parent)
			mustEqual(t, "entries that were read", len(p.entries), 1)
			h.statuses.changed(before, p)
			return p
		}
		written := h.last(t).status
		mustEqual(t, "entries of what was written", len(brings(written).entries), 0)
		other := maps.Clone(written)
		other["message"] = "1 agent: 1 failed; 1 in sync"
		mustEqual(t, "entries of something else", len(brings(other).entries), 1)
	})
}
