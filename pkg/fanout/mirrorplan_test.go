package fanout

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

func TestMirrorsOfOlderParentsComeFirst(t *testing.T) {
	p := newPlan(5)
	key := func(name string) types.NamespacedName { return types.NamespacedName{Namespace: "payments", Name: name} }
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	mustEqual(t, "the first", p.count(key("b"), at(2), 3), []types.NamespacedName{key("b")})
	mustEqual(t, "what fits beside it", p.count(key("c"), at(3), 2), []types.NamespacedName{key("c")})
	mustEqual(t, "the same again", p.count(key("c"), at(3), 2), nil)
	mustEqual(t, "what does not fit", p.count(key("d"), at(4), 1), nil)
	mustEqual(t, "an older one takes their place", p.count(key("a"), at(1), 4), []types.NamespacedName{key("a"), key("b"), key("c"), key("d")})
	mustEqual(t, "what is kept then", p.kept, map[types.NamespacedName]bool{key("a"): true, key("d"): true})
	mustEqual(t, "it goes", p.forget(key("a")), []types.NamespacedName{key("b"), key("c"), key("d")})
	mustEqual(t, "it is gone already", p.forget(key("a")), nil)
}

// However the counts came in, the same parents have mirrors, no more of them than allowed, and whoever looks has been told.
func TestPlanOfMirrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 20).Draw(t, "limit")
		p := newPlan(limit)
		known := map[types.NamespacedName]bool{}
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			name := rapid.IntRange(0, 6).Draw(t, "parent")
			key := types.NamespacedName{Name: fmt.Sprint(name)}
			var changed []types.NamespacedName
			if rapid.IntRange(0, 3).Draw(t, "gone") == 0 {
				changed = p.forget(key)
				delete(known, key)
			} else {
				changed = p.count(key, time.Unix(int64(name%3), 0), rapid.IntRange(0, 8).Draw(t, "agents"))
			}
			for _, each := range changed {
				known[each] = p.kept[each]
			}
		}
		fresh, sum := newPlan(limit), 0
		for key, each := range p.counts {
			fresh.count(key, each.created, each.agents)
		}
		for key, each := range p.counts {
			if p.kept[key] != fresh.kept[key] || p.kept[key] != known[key] {
				t.Fatalf("%v: kept %t, from the start %t, told %t", key, p.kept[key], fresh.kept[key], known[key])
			}
			if p.kept[key] {
				sum += each.agents
			}
		}
		if sum > limit {
			t.Fatalf("%d mirrors, and no more than %d are allowed", sum, limit)
		}
	})
}
