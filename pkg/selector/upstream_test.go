package selector

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// guideSelects restates what the guide's system makes of the forms that its
// users know: exclusions first, then `x`, `x*`, `*x`, `*x*`; nothing but
// exclusions is all the rest. (There, flanksource/commons, MatchItems.)
func guideSelects(agent string, patterns ...string) bool {
	agent = strings.ToLower(agent)
	anyOf := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			p = strings.ToLower(p)
			begin, open := strings.CutSuffix(p, "*")
			end, late := strings.CutPrefix(p, "*")
			return p == agent ||
				open && strings.HasPrefix(agent, begin) ||
				late && strings.HasSuffix(agent, end) ||
				open && late && strings.Contains(agent, strings.Trim(p, "*"))
		})
	}
	var positive, negative []string
	for _, p := range patterns {
		if p, excludes := strings.CutPrefix(strings.TrimSpace(p), "!"); excludes {
			negative = append(negative, p)
		} else {
			positive = append(positive, p)
		}
	}
	if anyOf(negative) {
		return false
	}
	return anyOf(positive) || len(positive) == 0 && len(negative) > 0
}

func TestAnswersAsTheGuidesSystemDoes(t *testing.T) {
	agents := []string{"apple", "Apple", "pineapple", "apples", "banana", "a", "ap.ple", "mission-control"}
	for _, patterns := range [][]string{
		{"apple"}, {"APPLE"}, {" apple "}, {"!apple"}, {"*"}, {"appl*"}, {"*ple"}, {"*PLE"}, {"*ppl*"}, {"*PPL*"},
		{"!banana", "appl*", "cherry"}, {"!apple", "banana"}, {"!apple", "apple"}, {"apple", "!apple"},
		{"!default"}, {"!*"}, {"!*", "apple"}, {"apple", "!*"}, {"!banana", "!apple"}, {"!*ple"}, {"!ap*"}, {"!*pp*"},
		{"*", "!*e"}, {"a*", "*a", "!*n*"}, {"**"}, {"mission-*", "!*-control"}, {"*-*"}, {"*.*"},
	} {
		s := mustParse(t, patterns...)
		for _, agent := range agents {
			if got, want := s.Matches(agent, nil), guideSelects(agent, patterns...); got != want {
				t.Errorf("%q selects %q: %t, the guide's system says %t", patterns, agent, got, want)
			}
		}
	}
}

func TestAnswersAsTheGuidesSystemDoesAlways(t *testing.T) {
	word := rapid.StringMatching(`[abAB.\-]{1,4}`)
	pattern := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"", "!", " ", " !"}).Draw(t, "before") +
			rapid.SampledFrom([]string{"", "*"}).Draw(t, "begin") + word.Draw(t, "word") +
			rapid.SampledFrom([]string{"", "*"}).Draw(t, "end")
	})
	rapid.Check(t, func(t *rapid.T) {
		patterns := rapid.SliceOfN(pattern, 1, 4).Draw(t, "patterns")
		agent := rapid.StringMatching(`[abAB.\-]{1,8}`).Draw(t, "agent")
		if got, want := parse(t, patterns).Matches(agent, nil), guideSelects(agent, patterns...); got != want {
			t.Fatalf("%q selects %q: %t, the guide's system says %t", patterns, agent, got, want)
		}
	})
}

// Where the answer differs from that system's, it is in the open: these lists
// are refused, or the guide promises what fanout does.
func TestDiffersFromTheGuidesSystem(t *testing.T) {
	for _, refused := range []string{"", "!", "eu-*,us-*", "!a,b", "eu%2Dwest", "eu+west"} {
		if _, err := Parse([]string{refused}); err == nil {
			t.Errorf("%q is accepted", refused)
		}
	}
	// The guide has `us-*-prod`; its system takes that star for a character.
	if !mustParse(t, "us-*-prod").Matches("us-east-prod", nil) {
		t.Error("us-*-prod does not select us-east-prod")
	}
	// An agent that has the hub's name is the hub.
	if mustParse(t, "*").Matches(Local, nil) {
		t.Error("* selects local")
	}
}
