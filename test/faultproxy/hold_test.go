package faultproxy

import (
	"testing"
)

// What is to be done before a request is done after it was sent and before the server sees it, and once.
func TestBeforeNext(t *testing.T) {
	b := newBackend(t)
	p := through(t, b)
	c := newClient(t, p)
	other := newClient(t, p)
	times := 0
	h := p.BeforeNext(Match{Path: "/held"}, func() {
		times++
		if len(b.arrived) != 0 {
			t.Errorf("%q arrived before", <-b.arrived)
		}
		other.mustGet(t, "/meanwhile")
	})
	never := p.BeforeNext(Match{Path: "/held", Verb: "delete"}, func() { t.Error("a GET is no DELETE") })
	c.mustGet(t, "/held")
	for _, want := range []string{"/meanwhile", "/held"} {
		if got := <-b.arrived; got != want {
			t.Errorf("%q arrived, not %q", got, want)
		}
	}
	c.mustGet(t, "/held")
	if times != 1 || !h.Cancel() || never.Cancel() {
		t.Errorf("it ran %d times, met %t, and the other %t", times, h.Cancel(), never.Cancel())
	}
}

func TestHealDropsHolds(t *testing.T) {
	b := newBackend(t)
	p := through(t, b)
	h := p.BeforeNext(Match{}, func() { t.Error("it ran") })
	p.Heal()
	newClient(t, p).mustGet(t, "/api")
	if h.Cancel() {
		t.Error("it met a request")
	}
}
