package selector

import (
	"errors"
	"strings"
	"testing"

	gobwas "github.com/gobwas/glob"
)

// A fuzzed list is one string, a pattern a line.
var seedLists = []string{
	"*", "eu-*\n*-prod", "us-*-prod\n!us-east-prod", "{eu,us}-*", "edge-[0-9]", "!*-dev\n!*-test", "local\n!local\n!lo*",
	" ! EU-[A-C] ", "\n", "!", "{a,{b,c}*}?[!x-z]", "{,}", "{}", "eu-{a", "a}]", "[z-a]\n[a-]\n[-a]\n[ab-]\n[--9]\n[]", "a,b", `\*`,
	"*a*a*a*a*b", "{a,aa}{a,aa}{a,aa}b", "{*a,x}{*a,x}c?", "***?*?*", "{{{{{{{{{a}}}}}}}}}", "\xff", "[\xff]", "tier=prod,region in (eu,us)\n!maintenance=true", "a notin (b)\na!=b", "a in (b", "a==\n!b=",
	"=\nin (a)\na in (", "a=b,!c,d\n[a=b]", "!a!=b", "A/b=c\na in (\xff)", "é\u212a", "\x00",
}

func FuzzParse(f *testing.F) {
	for _, list := range seedLists {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		patterns := strings.Split(list, "\n")
		s, err := Parse(patterns)
		if err == nil {
			checkWork(t, s)
			return
		}
		var all *ParseError
		if !errors.As(err, &all) || len(all.Faults) == 0 || len(all.Faults) > MaxFaults || all.Total < len(all.Faults) {
			t.Fatalf("not a sound ParseError: %#v", err)
		}
		for _, e := range all.Faults {
			if e.Pattern != patterns[e.Index] || e.Position < 0 || e.Position > len(e.Pattern) || e.Reason == "" {
				t.Errorf("not a sound PatternError: %#v", e)
			}
		}
		checkMessage(t, err)
	})
}

func FuzzMatches(f *testing.F) {
	for _, list := range seedLists {
		f.Add(list, "eu-west-prod")
		f.Add(list, "Local")
		f.Add(list, "aaaaaaaaaaaaaaaa")
	}
	f.Fuzz(func(t *testing.T, list, agent string) {
		patterns := strings.Split(list, "\n")
		s, err := Parse(patterns)
		if err != nil {
			if s.Matches(agent, nil) {
				t.Fatalf("a faulty list selects %q", agent)
			}
			return
		}
		got := s.Matches(agent, nil)
		if _, ok := foldName(agent); !ok {
			if got {
				t.Fatalf("selects %q", agent)
			}
			return
		}
		if len(list) > 200 || len(agent) > 100 {
			return // more than the reference is made for
		}
		if want := refSelects(patterns, agent); got != want {
			t.Fatalf("%q selects %q: %t, want %t", patterns, agent, got, want)
		}
		if len(patterns) > 1 || strings.Count(list, "{") > 3 || strings.ToLower(agent) == Local {
			return
		}
		pattern, excludes := strings.CutPrefix(strings.TrimSpace(list), "!")
		if isLabels(pattern) {
			return // nothing that gobwas knows
		}
		g, err := gobwas.Compile(strings.ToLower(strings.TrimSpace(pattern)))
		if err != nil {
			t.Fatalf("Parse accepts %q, gobwas does not: %v", list, err)
		}
		if want := g.Match(strings.ToLower(agent)) != excludes; got != want && !strings.EqualFold(g.String(), Local) {
			t.Fatalf("%q selects %q: %t, gobwas says %t", list, agent, got, want)
		}
	})
}
