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

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// claimant is an agent whose Secret has an age, and which notes what it is told.
type claimant struct {
	claim
	evicted, notified int
}

func aClaimant(agent string, age time.Duration) *claimant {
	c := &claimant{}
	c.claim = claim{secret: agent, created: monday.Add(-age), evict: func() { c.evicted++ }}
	return c
}

func (c *claimant) take(all *claims, id string) error {
	return all.take(id, c.claim, func() { c.notified++ })
}

func TestTheFirstToClaimAClusterHasIt(t *testing.T) {
	all := newClaims("hub")
	if err := aClaimant("a", time.Hour).take(all, "cluster"); err != nil {
		t.Errorf("the first: %v", err)
	}
	if err := aClaimant("b", time.Hour).take(all, "other"); err != nil {
		t.Errorf("the first of another cluster: %v", err)
	}
}

func TestTheHubIsNobodysMember(t *testing.T) {
	err := aClaimant("a", time.Hour).take(newClaims("hub"), "hub")
	if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), `"local"`) {
		t.Errorf("take: %v", err)
	}
}

func TestALaterSecretIsADuplicate(t *testing.T) {
	all := newClaims("hub")
	first, second := aClaimant("first", 2*time.Hour), aClaimant("second", time.Hour)
	if err := first.take(all, "cluster"); err != nil {
		t.Fatal(err)
	}
	err := second.take(all, "cluster")
	if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), `duplicates "first"`) || !strings.Contains(err.Error(), "ID cluster") {
		t.Errorf("take: %v", err)
	}
	if first.evicted != 0 || second.notified != 0 {
		t.Errorf("evicted %d, notified %d", first.evicted, second.notified)
	}

	all.release("cluster", "first")
	if second.notified != 1 {
		t.Errorf("once the cluster is free the second is told %d times", second.notified)
	}
	if err := second.take(all, "cluster"); err != nil {
		t.Errorf("the second, then: %v", err)
	}
	all.release("cluster", "second")
	if second.notified != 1 {
		t.Error("it is told again, though it does not wait")
	}
}

func TestAnOlderSecretTakesOver(t *testing.T) {
	all := newClaims("hub")
	older, younger := aClaimant("z-older", 2*time.Hour), aClaimant("a-younger", time.Hour)
	if err := younger.take(all, "cluster"); err != nil {
		t.Fatal(err)
	}
	err := older.take(all, "cluster")
	if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), `waiting for "a-younger"`) || younger.evicted != 1 {
		t.Errorf("take: %v; evicted %d times", err, younger.evicted)
	}
	all.release("cluster", "a-younger")
	if older.notified != 1 {
		t.Errorf("told %d times", older.notified)
	}
	// The younger may be faster. It is asked again to go.
	if err := younger.take(all, "cluster"); err != nil {
		t.Fatal(err)
	}
	_ = older.take(all, "cluster")
	all.release("cluster", "a-younger")
	if err := older.take(all, "cluster"); err != nil || younger.evicted != 2 {
		t.Errorf("in the end: %v; evicted %d times", err, younger.evicted)
	}
}

func TestOfSecretsOfOneAgeTheNameDecides(t *testing.T) {
	all := newClaims("hub")
	a, b := aClaimant("a", time.Hour), aClaimant("b", time.Hour)
	_ = b.take(all, "cluster")
	if _ = a.take(all, "cluster"); b.evicted != 1 {
		t.Errorf("b is evicted %d times", b.evicted)
	}
	all.release("cluster", "b")
	_ = a.take(all, "cluster")
	if _ = b.take(all, "cluster"); a.evicted != 0 {
		t.Errorf("a is evicted %d times", a.evicted)
	}
}

func TestAnAgentMayClaimAgainWhatItHas(t *testing.T) {
	all := newClaims("hub")
	before, after := aClaimant("a", time.Hour), aClaimant("a", 0) // its Secret was recreated
	if err := errors.Join(before.take(all, "cluster"), after.take(all, "cluster")); err != nil {
		t.Fatal(err)
	}
	_ = aClaimant("b", time.Minute).take(all, "cluster")
	if before.evicted != 0 || after.evicted != 1 {
		t.Errorf("evicted %d before, %d after", before.evicted, after.evicted)
	}
}

func TestOnlyTheHolderReleases(t *testing.T) {
	all := newClaims("hub")
	first, second := aClaimant("first", 2*time.Hour), aClaimant("second", time.Hour)
	_ = first.take(all, "cluster")
	all.release("cluster", "second")
	all.release("unknown", "first")
	if err := second.take(all, "cluster"); err == nil {
		t.Error("the cluster was free")
	}
}

// claimsModel is what claims should do, said again as plainly as can be.
type claimsModel struct {
	all       *claims
	claimants []*claimant
	holds     map[string]string // agent by cluster
}

func TestClaimsProperties(t *testing.T) {
	clusters := rapid.SampledFrom([]string{"hub", "c1", "c2"})
	rapid.Check(t, func(t *rapid.T) {
		m := &claimsModel{all: newClaims("hub"), holds: map[string]string{}}
		for i := range 4 {
			m.claimants = append(m.claimants, aClaimant(fmt.Sprintf("agent-%d", i), rapid.SampledFrom([]time.Duration{0, time.Hour, 2 * time.Hour}).Draw(t, "age")))
		}
		claimants := rapid.SampledFrom(m.claimants)
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				c, id := claimants.Draw(t, "claimant"), clusters.Draw(t, "cluster")
				holder, held := m.holds[id]
				evicted := 0
				for _, other := range m.claimants {
					evicted -= other.evicted
				}
				err := c.take(m.all, id)
				for _, other := range m.claimants {
					evicted += other.evicted
				}
				if free := id != "hub" && (!held || holder == c.secret); free != (err == nil) {
					t.Fatalf("%s takes %s, which %q has: %v", c.secret, id, holder, err)
				}
				if err != nil && !errors.Is(err, errRefused) {
					t.Fatalf("take: %v", err)
				}
				if err == nil {
					m.holds[id] = c.secret
				}
				asked := err != nil && id != "hub" && older(c.claim, m.named(holder).claim)
				if evicted != map[bool]int{true: 1}[asked] {
					t.Fatalf("%s takes %s, which %q has: %d were evicted", c.secret, id, holder, evicted)
				}
			},
			"release": func(t *rapid.T) {
				c, id := claimants.Draw(t, "claimant"), clusters.Draw(t, "cluster")
				waits := map[string]int{}
				for agent := range m.all.waiting[id] {
					waits[agent] = m.named(agent).notified
				}
				if m.all.release(id, c.secret); m.holds[id] == c.secret {
					delete(m.holds, id)
				}
				for agent, before := range waits {
					if m.named(agent).notified != before+1 {
						t.Fatalf("%s waits for %s and was told %d times", agent, id, m.named(agent).notified-before)
					}
				}
			},
			"": func(t *rapid.T) {
				got := map[string]string{}
				for id, holder := range m.all.holders {
					got[id] = holder.secret
				}
				if fmt.Sprint(got) != fmt.Sprint(m.holds) || m.holds["hub"] != "" {
					t.Fatalf("the holders are %v, want %v", got, m.holds)
				}
			},
		})
	})
}

func (m *claimsModel) named(agent string) *claimant {
	if i := slices.IndexFunc(m.claimants, func(c *claimant) bool { return c.secret == agent }); i >= 0 {
		return m.claimants[i]
	}
	return &claimant{}
}

// However the keepers take turns, the oldest Secret ends up with the cluster: a restart decides as before.
func TestTheOldestEndsUpWithTheCluster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := newClaims("hub")
		var agents []*claimant
		for i := range rapid.IntRange(1, 5).Draw(t, "agents") {
			agents = append(agents, aClaimant(fmt.Sprintf("agent-%d", i), time.Duration(rapid.IntRange(0, 2).Draw(t, "age"))*time.Hour))
		}
		oldest := slices.MinFunc(agents, func(a, b *claimant) int {
			if older(a.claim, b.claim) {
				return -1
			}
			return 1
		})
		holder := ""
		for range 3 { // each looks again when it was told to
			for _, c := range rapid.Permutation(agents).Draw(t, "order") {
				if c.evicted > 0 && holder == c.secret {
					all.release("cluster", c.secret)
					c.evicted, holder = 0, ""
					continue
				}
				if c.take(all, "cluster") == nil {
					holder = c.secret
				}
			}
		}
		if _ = oldest.take(all, "cluster"); holder != oldest.secret {
			for _, c := range agents { // the last turn
				if c.secret == holder && c.evicted == 0 {
					t.Fatalf("%s has the cluster and was not asked to give it to %s", holder, oldest.secret)
				}
			}
		}
	})
}
