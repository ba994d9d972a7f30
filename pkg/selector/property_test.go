package selector

import (
	"errors"
	"slices"
	"strings"
	"testing"

	gobwas "github.com/gobwas/glob"
	"pgregory.net/rapid"
)

// Names and patterns are drawn from few characters, so that they meet.
var (
	names = rapid.OneOf(
		rapid.StringMatching(`[abcABC01.\-]{1,12}`),
		rapid.StringMatching(`[ab]{1,40}`),
		rapid.SampledFrom([]string{"local", "LOCAL", "locals", "a"}),
	)
	lists = rapid.SliceOfN(rapid.Custom(drawPattern), 0, 5)
)

func drawPattern(t *rapid.T) string {
	blank := rapid.SampledFrom([]string{"", "", " ", "\t "})
	excludes := rapid.SampledFrom([]string{"", "", "!"}).Draw(t, "excludes")
	glob := rapid.OneOf(
		globs(2), globs(2), globs(2), rapid.SampledFrom([]string{"local", "Local", "l*", "{local,a}"}),
	).Filter(notBlank).Draw(t, "glob")
	return blank.Draw(t, "before") + excludes + blank.Draw(t, "within") + glob + blank.Draw(t, "after")
}

// globs draws globs that Parse accepts, with braces as deep as that.
func globs(depth int) *rapid.Generator[string] {
	pieces := []*rapid.Generator[string]{
		rapid.StringMatching(`[abcABC01.\-]{1,3}`),
		rapid.SampledFrom([]string{"*", "*", "*", "?", "**", "*?", "?*"}),
		rapid.SampledFrom([]string{"[ab]", "[!ab]", "[a-b]", "[!A-B]", "[0-1]", "[-.]", "[.-c]", "[ab-]", "[!0]"}),
	}
	if depth > 0 {
		pieces = append(pieces, rapid.Custom(func(t *rapid.T) string {
			alternatives := rapid.SliceOfN(globs(depth-1), 1, 3).Draw(t, "alternatives")
			if len(alternatives) == 1 && alternatives[0] == "" {
				return "{,}"
			}
			return "{" + strings.Join(alternatives, ",") + "}"
		}))
	}
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(pieces...), 0, 4), func(p []string) string { return strings.Join(p, "") })
}

func notBlank(s string) bool { return s != "" }

// parse accepts what is drawn, or skips the few that come to too much.
func parse(t *rapid.T, patterns []string) Selector {
	s, err := Parse(patterns)
	var f *PatternError
	if errors.As(err, &f) && strings.HasPrefix(f.Reason, "the list comes to more than ") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSelectsAsTheReferenceDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patterns := lists.Draw(t, "patterns")
		s := parse(t, patterns)
		for _, agent := range rapid.SliceOfN(names, 10, 20).Draw(t, "agents") {
			if got, want := s.Matches(agent, nil), refSelects(patterns, agent); got != want {
				t.Fatalf("%q selects %q: %t, want %t", patterns, agent, got, want)
			}
		}
	})
}

// What Parse accepts means what it means to gobwas/glob.
func TestMatchesAsGobwasDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := globs(2).Filter(notBlank).Draw(t, "pattern")
		s := parse(t, []string{pattern})
		g, err := gobwas.Compile(strings.ToLower(pattern))
		if err != nil {
			t.Fatalf("Parse accepts %q, gobwas does not: %v", pattern, err)
		}
		for _, agent := range rapid.SliceOfN(names, 10, 20).Draw(t, "agents") {
			name := strings.ToLower(agent)
			if got, want := s.Matches(agent, nil), g.Match(name); got != want && name != Local {
				t.Fatalf("%q matches %q: %t, want %t", pattern, agent, got, want)
			}
		}
	})
}

func TestOrderAndRepetitionDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patterns := lists.Draw(t, "patterns")
		permuted := rapid.Permutation(slices.Concat(patterns, patterns)).Draw(t, "permuted")
		s, p := parse(t, patterns), parse(t, permuted)
		agent := names.Draw(t, "agent")
		if s.Matches(agent, nil) != p.Matches(agent, nil) {
			t.Fatalf("%q and %q disagree on %q", patterns, permuted, agent)
		}
	})
}

// Adding an exclusion never adds an agent to a list that selects some, and what
// it matches is gone.
func TestExclusionsAlwaysWin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patterns := lists.Draw(t, "patterns")
		exclusion := "!" + globs(1).Filter(notBlank).Draw(t, "exclusion")
		agent := names.Filter(func(n string) bool { return strings.ToLower(n) != Local }).Draw(t, "agent")
		before, after := parse(t, patterns), parse(t, append(slices.Clone(patterns), exclusion))
		only := parse(t, []string{exclusion})
		if after.Matches(agent, nil) && !only.Matches(agent, nil) {
			t.Fatalf("%q does not exclude %q from %q", exclusion, agent, patterns)
		}
		if len(patterns) > 0 && after.Matches(agent, nil) && !before.Matches(agent, nil) {
			t.Fatalf("%q adds %q to %q", exclusion, agent, patterns)
		}
	})
}
