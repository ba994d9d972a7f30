package clusters

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func (c *claimant) takeName(all *names, agent string) error {
	return all.take(agent, c.claim, func() { c.notified++ })
}

func TestTheOlderSecretHasTheAgentsName(t *testing.T) {
	all := newNames()
	older, younger := aClaimant("z-older", 2*time.Hour), aClaimant("a-younger", time.Hour)
	if err := errors.Join(younger.takeName(all, "eu"), older.takeName(all, "us")); err != nil {
		t.Fatal(err)
	}
	err := older.takeName(all, "eu")
	if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), `waiting for "a-younger"`) || younger.evicted != 1 {
		t.Errorf("the older: %v; evicted %d", err, younger.evicted)
	}
	// The younger gives it back and asks again at once, before the older has had a chance.
	all.release("eu", "a-younger")
	err = younger.takeName(all, "eu")
	if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), `duplicates "z-older"`) || !strings.Contains(err.Error(), `the agent "eu"`) {
		t.Errorf("the younger: %v", err)
	}
	if err := older.takeName(all, "eu"); err != nil || older.notified != 1 {
		t.Errorf("the older, told %d times: %v", older.notified, err)
	}

	// While the older's member is away nobody has the name.
	all.release("eu", "z-older")
	if err := younger.takeName(all, "eu"); err == nil || younger.notified != 0 {
		t.Errorf("the younger, told %d times: %v", younger.notified, err)
	}
	all.leave("eu", "z-older")
	if err := younger.takeName(all, "eu"); err != nil || younger.notified != 1 {
		t.Errorf("once the older has gone the younger is told %d times: %v", younger.notified, err)
	}
	all.leave("eu", "a-younger")
	all.leave("us", "z-older")
	if len(all.contests) != 0 {
		t.Errorf("%d names are still known", len(all.contests))
	}
}

func TestASecretMayTakeItsNameAgain(t *testing.T) {
	all := newNames()
	before, after := aClaimant("a", time.Hour), aClaimant("a", 0) // recreated
	if err := errors.Join(before.takeName(all, "eu"), before.takeName(all, "eu"), after.takeName(all, "eu")); err != nil {
		t.Fatal(err)
	}
	if err := aClaimant("b", time.Minute).takeName(all, "eu"); err == nil || before.evicted != 0 || after.evicted != 1 {
		t.Errorf("an older one: %v; evicted %d before, %d after", err, before.evicted, after.evicted)
	}
	all.release("unknown", "a")
	all.release("eu", "b")
	all.leave("unknown", "a")
}

// Whoever comes and goes: at most one Secret has a name, it is the oldest that wants it or has been asked to give it back,
// and when all have done as they are told, the oldest has it.
func TestNamesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := newNames()
		var secrets []*claimant
		for i := range 4 {
			secrets = append(secrets, aClaimant(fmt.Sprintf("secret-%d", i), rapid.SampledFrom([]time.Duration{0, time.Hour, 2 * time.Hour}).Draw(t, "age")))
		}
		wants, has := map[*claimant]bool{}, map[*claimant]bool{}
		try := func(c *claimant) {
			wants[c] = true
			if c.evicted = 0; c.takeName(all, "eu") == nil {
				has[c] = true
			}
		}
		oldest := func() *claimant {
			wanting := slices.DeleteFunc(slices.Clone(secrets), func(c *claimant) bool { return !wants[c] })
			if len(wanting) == 0 {
				return nil
			}
			return slices.MinFunc(wanting, func(a, b *claimant) int {
				if older(a.claim, b.claim) {
					return -1
				}
				return 1
			})
		}
		check := func() {
			for c := range has {
				if len(has) > 1 || c != oldest() && c.evicted == 0 {
					t.Fatalf("%s has it, as one of %d, the oldest is %s", c.secret, len(has), oldest().secret)
				}
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			c := rapid.SampledFrom(secrets).Draw(t, "secret")
			switch rapid.SampledFrom([]string{"take", "take", "release", "leave"}).Draw(t, "does") {
			case "take":
				if !has[c] {
					try(c)
				}
			case "release":
				all.release("eu", c.secret)
				delete(has, c)
			case "leave":
				all.leave("eu", c.secret)
				delete(has, c)
				delete(wants, c)
			}
			check()
		}
		for range 3 {
			for _, c := range secrets {
				switch {
				case has[c] && c.evicted > 0:
					all.release("eu", c.secret)
					delete(has, c)
				case wants[c] && !has[c]:
					try(c)
				}
				check()
			}
		}
		if first := oldest(); first != nil && !has[first] {
			t.Fatalf("in the end %s does not have it", first.secret)
		}
	})
}

// A Secret that is on its way, and is held by others, keeps its agent's name from nobody.
func TestALeavingSecretGivesItsNameUp(t *testing.T) {
	k := newForeseeing().keeper
	if err := k.names.take(k.agent, aClaimant(k.name, time.Hour).claim, k.poke); err != nil {
		t.Fatal(err)
	}
	other := aClaimant("other", 0)
	if err := other.takeName(k.names, k.agent); err == nil {
		t.Error("the name was free before")
	}
	if err := k.deregister(t.Context(), aSecret(withOtherHolder, deleted)); err != nil {
		t.Fatal(err)
	}
	if err := other.takeName(k.names, k.agent); err != nil || other.notified != 1 {
		t.Errorf("told %d times: %v", other.notified, err)
	}
}
