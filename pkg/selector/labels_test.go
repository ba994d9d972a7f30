package selector

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/labels"
	"pgregory.net/rapid"
)

func TestSelectingByLabels(t *testing.T) {
	agents := map[string]map[string]string{
		"eu-prod": {"tier": "prod", "region": "eu"},
		"us-prod": {"tier": "prod", "region": "us", "maintenance": "true"},
		"ap-prod": {"tier": "prod", "region": "ap"},
		"edge-1":  {"tier": "edge"},
		"bare":    nil,
	}
	for _, tc := range []struct{ entries, selected string }{
		{"tier=prod", "ap-prod eu-prod us-prod"},
		{"tier==prod", "ap-prod eu-prod us-prod"},
		{"tier=prod,region in (eu,us)", "eu-prod us-prod"},
		{" tier = prod , region in ( eu , us ) ", "eu-prod us-prod"},
		{"region in(eu)", "eu-prod"},
		{"region notin (eu,us)", "ap-prod bare edge-1"}, // as Kubernetes has it: also those without the label
		{"region!=eu", "ap-prod bare edge-1 us-prod"},
		{"tier=Prod", ""},
		{"tier=prod|edge-*", "ap-prod edge-1 eu-prod us-prod"},
		{"tier=prod|!maintenance=true", "ap-prod eu-prod"},
		{"*|!maintenance=true", "ap-prod bare edge-1 eu-prod"},
		{"!maintenance=true", "ap-prod bare edge-1 eu-prod"},
		{"! tier=prod,region in (eu)", "ap-prod bare edge-1 us-prod"},
		{"tier=prod|!eu-*", "ap-prod us-prod"},
		{"tier in (prod)|!tier=prod", ""},
		{"example.com/tier=prod", ""},
	} {
		s := mustParse(t, strings.Split(tc.entries, "|")...)
		var selected []string
		for name, of := range agents {
			if s.Matches(name, of) {
				selected = append(selected, name)
			}
		}
		slices.Sort(selected)
		if got := strings.Join(selected, " "); got != tc.selected {
			t.Errorf("%q selects %q, want %q", tc.entries, got, tc.selected)
		}
	}
}

// The hub is selected by its name, whatever labels anybody gives it.
func TestLabelsNeverSelectTheHub(t *testing.T) {
	of := map[string]string{"tier": "prod"}
	for entries, want := range map[string]bool{
		"tier=prod": false, "!tier=edge": false, "tier notin (x)": false,
		"local|tier=x": true, "local|!tier=prod": true, "tier=prod|!local": false,
	} {
		if got := mustParse(t, strings.Split(entries, "|")...).Matches(Local, of); got != want {
			t.Errorf("%q selects the hub: %t", entries, got)
		}
	}
}

// Every list that was valid before there were labels gives the same answer, whatever labels an agent has.
func TestLabelsChangeNoListOfNames(t *testing.T) {
	of := rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "local"}), rapid.SampledFrom([]string{"a", "b", ""}))
	rapid.Check(t, func(t *rapid.T) {
		patterns := lists.Draw(t, "patterns")
		s, agent := parse(t, patterns), names.Draw(t, "agent")
		if got := s.Matches(agent, of.Draw(t, "labels")); got != refSelects(patterns, agent) {
			t.Fatalf("%q selects %q: %t", patterns, agent, got)
		}
	})
	// And no entry that is read as a label selector now was a pattern: the reader of patterns refuses it.
	entries := rapid.StringMatching(`[ab*?!,.\-]{0,6}(=|==|!=| in \(| notin \(|in\(|[\[\]{}() =ab])[ab,*() \]}\[{!]{0,6}`)
	marked := 0
	rapid.Check(t, func(t *rapid.T) {
		entry := entries.Draw(t, "entry")
		if !isLabels(entry) {
			return
		}
		marked++
		if _, f := read(entry, 0); f == nil {
			t.Fatalf("%q was a pattern", entry)
		}
	})
	if marked == 0 {
		t.Error("no entry was a label selector")
	}
}

// What is accepted means what it means to apimachinery.
func TestLabelsMatchAsKubernetesDoes(t *testing.T) {
	keys, values := rapid.SampledFrom([]string{"tier", "region", "example.com/x"}), rapid.SampledFrom([]string{"a", "b", "A"})
	term := rapid.Custom(func(t *rapid.T) string {
		key := keys.Draw(t, "key")
		switch operator := rapid.SampledFrom([]string{"=", "==", "!=", " in ", " notin "}).Draw(t, "operator"); operator {
		case " in ", " notin ":
			return fmt.Sprintf("%s%s(%s)", key, operator, strings.Join(rapid.SliceOfN(values, 1, 3).Draw(t, "values"), ","))
		default:
			return key + operator + values.Draw(t, "value")
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		entry := strings.Join(rapid.SliceOfN(term, 1, 3).Draw(t, "terms"), ",")
		of := rapid.MapOf(keys, values).Draw(t, "labels")
		parsed, err := labels.Parse(entry)
		if err != nil {
			t.Fatal(err)
		}
		included, excluded := parse(t, []string{entry}), parse(t, []string{"!" + entry})
		want := parsed.Matches(labels.Set(of))
		if included.Matches("a", of) != want || excluded.Matches("a", of) == want {
			t.Fatalf("%q of %v: %t, excluded %t, want %t", entry, of, included.Matches("a", of), excluded.Matches("a", of), want)
		}
	})
}

func TestTermsAreBounded(t *testing.T) {
	entry := strings.TrimSuffix(strings.Repeat("a=b,", 100), ",")
	if _, err := Parse(slices.Repeat([]string{entry}, MaxTerms/100)); err != nil {
		t.Error(err)
	}
	if _, err := Parse(slices.Repeat([]string{entry}, MaxTerms/100+1)); err == nil || !strings.Contains(err.Error(), "more than 1024 terms over labels") {
		t.Errorf("more are taken: %v", err)
	}
}

func TestANamespaceHasNoLabelsToSelectBy(t *testing.T) {
	if _, err := ParseNamespaces("tier=prod"); err == nil || !strings.Contains(err.Error(), "'=' is in no name") {
		t.Errorf("it is taken: %v", err)
	}
}

// A parent is matched against every agent there is whenever it is edited.
func TestMatchingAllocatesNothing(t *testing.T) {
	of := map[string]string{"tier": "prod", "region": "eu"}
	s := mustParse(t, "tier=prod,region in (eu,us)", "region notin (ap)", "*-edge-[0-9]*", "!maintenance=true", "!tier!=prod", "!us-*")
	selected := true
	if got := testing.AllocsPerRun(100, func() { selected = selected && s.Matches("eu-edge-7-prod", of) }); got > 0 || !selected {
		t.Errorf("a match allocates %v times; it is one: %t", got, selected)
	}
}
