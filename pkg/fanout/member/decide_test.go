package member

import (
	"testing"

	"pgregory.net/rapid"

	"fanout/pkg/fanout/derive"
)

func TestDecide(t *testing.T) {
	nothing := Demand{}
	asked := Demand{Copy: derive.Copy{Hash: "new", Content: "new", Generation: 3}}
	held := observed{hash: "new", content: "new", generation: 3}
	but := func(change func(*observed)) *observed {
		o := held
		change(&o)
		return &o
	}
	terminating := but(func(o *observed) { o.terminating = true })

	for _, row := range []struct {
		name    string
		want    Demand
		have    *observed
		settled string
		action  action
	}{
		{"frozen, and nothing is there", Demand{Frozen: true}, nil, "", actionNone},
		{"frozen, and a Canary is there", Demand{Frozen: true}, &held, "", actionNone},
		{"frozen, and what is there was edited", Demand{Frozen: true}, but(func(o *observed) { o.content = "edited" }), "", actionNone},
		{"frozen, and a terminating one is there", Demand{Frozen: true}, terminating, "", actionNone},

		{"terminating, and asked for", asked, terminating, "", actionWait},
		{"terminating, and asked for otherwise", Demand{Copy: derive.Copy{Hash: "newer", Generation: 4}}, terminating, "", actionWait},
		{"terminating, and nobody asks for it", nothing, terminating, "", actionWait},

		{"nothing is asked for, and nothing is there", nothing, nil, "", actionNone},
		{"nothing is asked for, and a Canary is there", nothing, &held, "", actionDelete},
		{"nothing is asked for, and an edited Canary is there", nothing, but(func(o *observed) { o.content = "edited" }), "", actionDelete},
		{"nothing is asked for, and one without a hash is there", nothing, but(func(o *observed) { o.hash = "" }), "", actionDelete},

		{"asked for, and nothing is there", asked, nil, "", actionCreate},
		{"asked for, and nothing is there any more", asked, nil, "defaulted", actionCreate},

		{"another hash", asked, but(func(o *observed) { o.hash, o.content = "old", "old" }), "", actionUpdate},
		{"another hash, though its content was settled", asked, but(func(o *observed) { o.hash, o.content = "old", "old" }), "old", actionUpdate},
		{"no hash, though the content is right", asked, but(func(o *observed) { o.hash = "" }), "", actionUpdate},
		{"no generation", asked, but(func(o *observed) { o.generation = 0 }), "", actionUpdate},
		{"a negative generation", asked, but(func(o *observed) { o.generation = -1 }), "", actionUpdate},
		{"a generation that the parent never had", asked, but(func(o *observed) { o.generation = 4 }), "", actionUpdate},

		{"its hash, other content", asked, but(func(o *observed) { o.content = "edited" }), "", actionVerify},
		{"its hash, content other than what was settled", asked, but(func(o *observed) { o.content = "edited" }), "defaulted", actionVerify},

		{"its hash, its content", asked, &held, "", actionNone},
		{"its hash, its content, though another was settled", asked, &held, "defaulted", actionNone},
		{"its hash, settled content", asked, but(func(o *observed) { o.content = "defaulted" }), "defaulted", actionNone},
		{"the generation of a time when the same was derived", asked, but(func(o *observed) { o.generation = 1 }), "", actionNone},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := decide(row.want, row.have, row.settled); got != row.action {
				t.Errorf("decide: %s, want %s", got, row.action)
			}
		})
	}
}

func TestDecideProperties(t *testing.T) {
	content := rapid.SampledFrom([]string{"h1", "h2", "h1+defaults", "edited"})
	rapid.Check(t, func(t *rapid.T) {
		want := Demand{Frozen: rapid.Bool().Draw(t, "frozen")}
		if !want.Frozen && rapid.Bool().Draw(t, "asked") {
			want.Hash = rapid.SampledFrom([]string{"h1", "h2"}).Draw(t, "asked hash")
			want.Content = want.Hash
			want.Generation = rapid.Int64Range(1, 3).Draw(t, "asked generation")
		}
		var have *observed
		if rapid.Bool().Draw(t, "held") {
			have = &observed{
				hash:        rapid.SampledFrom([]string{"", "h1", "h2"}).Draw(t, "hash"),
				content:     content.Draw(t, "content"),
				generation:  rapid.Int64Range(-1, 4).Draw(t, "generation"),
				terminating: rapid.Bool().Draw(t, "terminating"),
			}
		}
		settled := rapid.OneOf(rapid.Just(""), content).Draw(t, "settled")

		done := decide(want, have, settled)
		writes := done == actionCreate || done == actionUpdate || done == actionVerify
		switch {
		case want.Frozen && done != actionNone:
			t.Fatalf("%s, though frozen", done)
		case have != nil && have.terminating && (writes || done == actionDelete):
			t.Fatalf("%s, though terminating", done)
		case writes && want.Hash == "":
			t.Fatalf("%s, though nothing is asked for", done)
		case done == actionDelete && (have == nil || want.Hash != ""):
			t.Fatalf("deletes what is asked for, or is not there")
		case done == actionCreate && have != nil:
			t.Fatalf("creates over what is there")
		}

		// The action's effect is all that was needed, whatever the member's schema adds.
		switch done {
		case actionCreate, actionUpdate:
			have = &observed{hash: want.Hash, content: content.Draw(t, "content after the write"), generation: want.Generation}
			settled = have.content
		case actionVerify:
			settled = have.content
		case actionDelete:
			if have = nil; rapid.Bool().Draw(t, "a finalizer holds it") {
				have = &observed{terminating: true}
			}
		case actionWait:
			return // until it is gone
		}
		if next := decide(want, have, settled); next != actionNone && (done != actionDelete || next != actionWait) {
			t.Fatalf("after %s comes %s", done, next)
		}
	})
}
