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
	count := func(name string, second int64, agents int) {
		t.Helper()
		if !p.count(key(name), time.Unix(second, 0), agents) || p.count(key(name), time.Unix(second, 0), agents) {
			t.Errorf("%s: what is news and what is not is mistaken", name)
		}
	}
	decided := func(changed []types.NamespacedName, kept map[types.NamespacedName]bool) {
		t.Helper()
		mustEqual(t, "changed", p.decide(), changed)
		mustEqual(t, "kept", p.kept, kept)
	}
	count("b", 2, 3)
	count("c", 3, 2)
	count("d", 4, 1)
	decided([]types.NamespacedName{key("b"), key("c"), key("d")}, map[types.NamespacedName]bool{key("b"): true, key("c"): true, key("d"): false})
	decided(nil, p.kept)
	count("a", 1, 4) // an older one, beside which there is room for one
	decided([]types.NamespacedName{key("a"), key("b"), key("c"), key("d")}, map[types.NamespacedName]bool{key("a"): true, key("b"): false, key("c"): false, key("d"): true})
	if !p.forget(key("a")) || p.forget(key("a")) {
		t.Error("that a parent goes is news once")
	}
	decided([]types.NamespacedName{key("b"), key("c"), key("d")}, map[types.NamespacedName]bool{key("b"): true, key("c"): true, key("d"): false})
}

// However the counts came in, the same parents have mirrors, no more of them than allowed, and whoever looks has been told.
func TestPlanOfMirrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 20).Draw(t, "limit")
		p, told := newPlan(limit), map[types.NamespacedName]bool{}
		decide := func() {
			for _, each := range p.decide() {
				told[each] = p.kept[each]
			}
		}
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			name := rapid.IntRange(0, 6).Draw(t, "parent")
			key := types.NamespacedName{Name: fmt.Sprint(name)}
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				p.forget(key)
			case 1:
				decide()
			default:
				p.count(key, time.Unix(int64(name%3), 0), rapid.IntRange(0, 8).Draw(t, "agents"))
			}
		}
		decide()
		fresh, sum := newPlan(limit), 0
		for key, each := range p.counts {
			fresh.count(key, each.created, each.agents)
		}
		fresh.decide()
		for key, each := range p.counts {
			if p.kept[key] != fresh.kept[key] || p.kept[key] != told[key] {
				t.Fatalf("%v: kept %t, from the start %t, told %t", key, p.kept[key], fresh.kept[key], told[key])
			}
			if p.kept[key] {
				sum += each.agents
			}
		}
		if sum > limit || len(p.kept) != len(p.counts) {
			t.Fatalf("%d mirrors of %d parents, and no more than %d of %d are allowed", sum, len(p.kept), limit, len(p.counts))
		}
	})
}
