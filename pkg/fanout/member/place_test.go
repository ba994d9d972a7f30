package member

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/results"
)

func TestPlacesAreRememberedApartAndForgottenInOneGo(t *testing.T) {
	v, _ := aView()
	v.replace(nil, "1")
	now := time.Unix(1_800_000_000, 0)
	remember := func(name string) {
		v.record(at(name), observe(copyOf(name, 5)))
		v.at(at(name), func(p *place) {
			p.written.wrote("h", now)
			p.written.wrote("h", now)
			*p.noted() = remarks{settled: settlement{"h", "content"}, awaited: now}
		})
		mustEqual(t, "failed before", v.fail(at(name), results.Condition{Reason: "Forbidden"}).Reason, "")
	}
	remember("a")
	remember("b")
	mustEqual(t, "fails again", v.fail(at("a"), results.Condition{Reason: "Throttled"}).Reason, "Forbidden")
	mustEqual(t, "is well again", v.fail(at("a"), results.Condition{}).Reason, "Throttled")
	v.forget(at("a"))
	v.at(at("a"), func(p *place) { p.noted().awaited = time.Time{} })

	mustEqual(t, "what is left of it, while it stands", *v.places[at("a")], place{held: pack(v.get(at("a")))})
	mustEqual(t, "another's delay", v.delay(at("b"), "h", now), fightBaseDelay)
	mustEqual(t, "another's settled content", v.settled(at("b"), "h"), "content")
	mustEqual(t, "failing", v.failing(), []types.NamespacedName{at("b")})
	mustEqual(t, "awaited", v.awaited(), []types.NamespacedName{at("b")})

	v.remove(seen(copyOf("a", 6)))
	v.remove(seen(copyOf("b", 7)))
	shows(t, v)
	if len(v.places) != 1 || v.places[at("b")] == nil {
		t.Errorf("of %d places something is remembered, want what b has been through", len(v.places))
	}
	mustEqual(t, "a deleted one's delay", v.delay(at("b"), "h", now), fightBaseDelay)
	v.forget(at("b"))
	v.fail(at("b"), results.Condition{})
	v.at(at("b"), func(p *place) { p.noted().awaited = time.Time{} })
	mustEqual(t, "places", len(v.places), 0)
}

// Reading or clearing what is not there leaves nothing behind.
func TestNothingIsRememberedOfAPlaceWhereNothingHappens(t *testing.T) {
	v, _ := aView()
	v.fail(at("a"), results.Condition{})
	v.forget(at("a"))
	mustEqual(t, "delay", v.delay(at("a"), "h", time.Now()), 0)
	mustEqual(t, "settled", v.settled(at("a"), "h"), "")
	v.record(at("a"), observe(copyOf("a", 1)))
	v.replace(nil, "2")
	mustEqual(t, "places", len(v.places), 0)
	if slices.Contains(v.keys(), at("a")) || v.len() != 0 {
		t.Error("it is still held")
	}
}
