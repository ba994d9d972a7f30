package selector

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestExplain(t *testing.T) {
	prod := map[string]string{"tier": "prod", "region": "eu"}
	for _, row := range []struct {
		patterns []string
		agent    string
		labels   map[string]string
		want     Reason
	}{
		{[]string{"us-*", "eu-*", "*"}, "eu-west", nil, Reason{Selected: true, SelectedBy: "eu-*"}},
		{[]string{" EU-{west,east}\t"}, "eu-west", nil, Reason{Selected: true, SelectedBy: "EU-{west,east}"}},
		{[]string{"*", "!us-*", "!*-east"}, "us-east", nil, Reason{SelectedBy: "*", ExcludedBy: "!us-*"}},
		{[]string{"!us-*"}, "eu-west", nil, Reason{Selected: true}},
		{[]string{"!us-*"}, "us-east", nil, Reason{ExcludedBy: "!us-*"}},
		{[]string{"us-*"}, "eu-west", nil, Reason{}},
		{[]string{}, "eu-west", nil, Reason{}},
		{[]string{"tier=prod", "*"}, "eu-west", prod, Reason{Selected: true, SelectedBy: "tier=prod"}},
		{[]string{"tier=prod", "*"}, "eu-west", nil, Reason{Selected: true, SelectedBy: "*"}},
		{[]string{"*", "! region in (eu,us)"}, "eu-west", prod, Reason{SelectedBy: "*", ExcludedBy: "! region in (eu,us)"}},
		{[]string{"*", "Local"}, "local", nil, Reason{Selected: true, SelectedBy: "Local"}},
		{[]string{"*", "!lo*"}, "local", nil, Reason{}},
		{[]string{"local", "!local"}, "local", nil, Reason{SelectedBy: "local", ExcludedBy: "!local"}},
		{[]string{"*"}, "no_name", nil, Reason{}},
	} {
		e, err := NewExplainer(row.patterns)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Explain(row.agent, row.labels); got != row.want {
			t.Errorf("%q of %q: %+v, want %+v", row.patterns, row.agent, got, row.want)
		}
	}
}

func TestExplainerRefusesWhatParseRefuses(t *testing.T) {
	patterns := []string{"*", "{eu"}
	_, want := Parse(patterns)
	if _, err := NewExplainer(patterns); err == nil || err.Error() != want.Error() {
		t.Errorf("%v, want %v", err, want)
	}
}

// An explanation agrees with Matches, and with what each of its entries says alone.
func TestExplainsWhatMatchesSays(t *testing.T) {
	entries := rapid.OneOf(
		rapid.Custom(drawPattern),
		rapid.SampledFrom([]string{"tier=prod", "!tier=prod", "region in (eu,us)", " ! region notin (eu)"}),
	)
	labels := rapid.SampledFrom([]map[string]string{nil, {"tier": "prod"}, {"tier": "dev", "region": "eu"}, {"region": "us"}})
	rapid.Check(t, func(t *rapid.T) {
		patterns := rapid.SliceOfN(entries, 0, 5).Draw(t, "patterns")
		s := parse(t, patterns)
		e, err := NewExplainer(patterns)
		if err != nil {
			t.Fatal(err)
		}
		for _, agent := range rapid.SliceOfN(names, 10, 20).Draw(t, "agents") {
			of := labels.Draw(t, "labels")
			got := e.Explain(agent, of)
			isLocal := strings.EqualFold(agent, Local)
			only := len(patterns) > 0 && !slices.ContainsFunc(patterns, func(p string) bool { return !strings.HasPrefix(strings.TrimSpace(p), "!") })
			if got.Selected != s.Matches(agent, of) || got.Selected != (got.ExcludedBy == "" && (got.SelectedBy != "" || only && !isLocal)) {
				t.Fatalf("%q of %q with %v: %+v, but it matches: %t", patterns, agent, of, got, s.Matches(agent, of))
			}
			for _, by := range []string{got.SelectedBy, strings.TrimPrefix(got.ExcludedBy, "!")} {
				if by != "" && !parse(t, []string{by}).Matches(agent, of) {
					t.Fatalf("%q is named, but does not speak of %q with %v", by, agent, of)
				}
			}
		}
	})
}
