package selector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestLimits(t *testing.T) {
	names := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("agent-%d", i)
		}
		return list
	}
	nested := func(n int) []string {
		return []string{strings.Repeat("{a,", n) + "b" + strings.Repeat("}", n)}
	}
	// doubled comes to 2^n alternatives, each with what follows.
	doubled := func(n int, then string) string { return strings.Repeat("{a,b}", n) + then }

	for _, tc := range []struct {
		name           string
		atLimit, above []string
		index, at      int
		reason         string
	}{
		{
			"patterns", names(MaxPatterns), names(MaxPatterns + 1),
			MaxPatterns, 0, "more than 512 patterns",
		},
		{
			"bytes", []string{strings.Repeat("a", MaxPatternBytes)}, []string{strings.Repeat("a", MaxPatternBytes+1)},
			0, MaxPatternBytes, "longer than 512 bytes",
		},
		{
			"bytes, blanks too", []string{strings.Repeat(" ", MaxPatternBytes-1) + "a"}, []string{"a" + strings.Repeat(" ", MaxPatternBytes)},
			0, MaxPatternBytes, "longer than 512 bytes",
		},
		{
			"nesting", nested(MaxNesting), nested(MaxNesting + 1),
			0, 3 * MaxNesting, "braces nest deeper than 8",
		},
		{
			"alternatives", []string{doubled(10, "")}, []string{" " + doubled(11, "")},
			0, 1, "the list comes to more than 1024 alternatives",
		},
		{
			"alternatives of all patterns", []string{doubled(9, ""), "!" + doubled(9, "")}, []string{doubled(9, ""), "!" + doubled(9, ""), "a"},
			2, 0, "the list comes to more than 1024 alternatives",
		},
		{
			"alternatives beyond counting", []string{"a"}, []string{"a", doubled(100, "")},
			1, 0, "the list comes to more than 1024 alternatives",
		},
		{
			"nested alternatives beyond counting", []string{"a"}, []string{"{" + doubled(40, ",") + doubled(40, "") + "}" + doubled(15, "")},
			0, 0, "the list comes to more than 1024 alternatives",
		},
		{
			"wildcards", []string{doubled(9, "?[ab]*?")}, []string{doubled(9, "?[ab]*?"), "*"},
			1, 0, "the list comes to more than 2048 wildcards",
		},
		{
			"searches", slices.Repeat([]string{"*?*"}, MaxSearches), slices.Repeat([]string{"*?*"}, MaxSearches+1),
			MaxSearches, 0, "the list comes to more than 32 runs with ? or [] between stars",
		},
		{
			"searches of one pattern", []string{strings.Repeat("*?", MaxSearches) + "*"}, []string{strings.Repeat("*?", MaxSearches+1) + "*"},
			0, 0, "the list comes to more than 32 runs with ? or [] between stars",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			mustParse(t, tc.atLimit...)
			_, err := Parse(tc.above)
			var got *PatternError
			if !errors.As(err, &got) || got.Index != tc.index || got.Position != tc.at || got.Reason != tc.reason {
				t.Errorf("got %v\nwant agentSelector[%d] … position %d: %s", err, tc.index, tc.at, tc.reason)
			}
		})
	}
}

// A refused pattern leaves the budget to the others, so each fault that is
// reported is a fault of its own.
func TestRefusedPatternsCostNothing(t *testing.T) {
	_, err := Parse([]string{strings.Repeat("{a,b}", 11), "eu-*", strings.Repeat("{a,b}", 12), "us-*"})
	var got *ParseError
	if !errors.As(err, &got) || got.Total != 2 || got.Faults[0].Index != 0 || got.Faults[1].Index != 2 {
		t.Errorf("got %v, want faults in 0 and 2", err)
	}
}

// Each of these takes gobwas/glob, left to itself, from seconds to centuries:
// with stars or braces it walks back and tries again.
func TestHostilePatternsMatchInBoundedWork(t *testing.T) {
	worst, _ := worstSearch(t)
	for _, patterns := range [][]string{
		{strings.Repeat("{a,aa}", 10) + "b?"},
		{strings.Repeat("{*a,x}", 8) + "c?"},
		{strings.Repeat("*a", 250) + "b"},
		{strings.Repeat("a*", 250) + "b?"},
		{strings.Repeat("*?", MaxSearches) + "*b"},
		{"*" + strings.Repeat("a?", 100) + "b*"},
		{strings.Repeat("?", 250) + "*"},
		{strings.Repeat("{a*a,*aa}", 8) + "b"},
		{strings.Repeat("*{a,aa}", 7) + "b?"},
		{strings.Repeat("{", 8) + "*" + strings.Repeat(",a}*", 8) + "b"},
	} {
		s, err := Parse(patterns)
		if err != nil {
			t.Errorf("Parse(%.40q): %v", patterns, err)
			continue
		}
		checkWork(t, s)
		for _, agent := range []string{strings.Repeat("a", MaxNameBytes), strings.Repeat("ab", MaxNameBytes/2), strings.Repeat("a", MaxNameBytes-1) + "b"} {
			s.Matches(agent, nil)
		}
	}
	checkWork(t, worst)

	long := strings.Repeat("a", MaxNameBytes/2)
	checkWork(t, mustParse(t, append(
		slices.Repeat([]string{"*?" + long + "*"}, MaxSearches),
		"{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"+long+"*"+long, // 512 alternatives
		"{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}*"+long+"a*"+long,    // 256
		"{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}*"+long+"a*"+long,         // 128
	)...))
}

// worstSearch returns the selector, and the name, that take the most work: as
// many searches as may be, for runs that at every position fail at their end,
// and half as long as the name.
func worstSearch(t testing.TB) (Selector, string) {
	pattern := "*aaaaaa" + strings.Repeat("a?", MaxWildcards/MaxSearches-4) + "[!a]*"
	return mustParse(t, slices.Repeat([]string{pattern}, MaxSearches)...), strings.Repeat("a", MaxNameBytes)
}

// checkWork counts the character comparisons a name may cost, at most.
func checkWork(t *testing.T, s Selector) {
	t.Helper()
	work, terms := 0, 0
	for _, set := range []set{s.selected, s.excluded} {
		for _, selector := range set.labels {
			all, _ := selector.Requirements()
			terms += len(all)
		}
		for _, g := range set.globs {
			text := 0
			work += min(g.first.width+g.last.width, MaxNameBytes)
			for _, r := range g.inner {
				positions := max(0, MaxNameBytes+1-r.width)
				if r.pattern != nil {
					work += positions * r.width
				} else {
					text = max(text, min(r.width, MaxNameBytes))
				}
			}
			// What one search for text has passed the next does not see, and
			// strings.Index is linear.
			work += MaxNameBytes + text
		}
	}
	if terms > MaxTerms {
		t.Errorf("it has %d terms over labels", terms)
	}
	if work > 1_300_000 {
		t.Errorf("a name may cost %d comparisons", work)
	}
}
