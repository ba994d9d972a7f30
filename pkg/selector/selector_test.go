package selector

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fleet is what the tables below select from.
var fleet = []string{
	"ap-south-prod", "edge-1", "edge-x", "eu-north-dev", "eu-west-prod",
	"eu-west-staging", "local", "us-east-prod", "us-west-test", "us.west.prod",
}

func mustParse(t testing.TB, patterns ...string) Selector {
	t.Helper()
	s, err := Parse(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func selects(s Selector, agents []string) []string {
	return slices.DeleteFunc(slices.Clone(agents), func(a string) bool { return !s.Matches(a, nil) })
}

// all is the fleet without the hub and the given names.
func all(but ...string) []string {
	return slices.DeleteFunc(slices.Clone(fleet), func(a string) bool {
		return a == Local || slices.Contains(but, a)
	})
}

func TestSelects(t *testing.T) {
	for _, tc := range []struct {
		name     string
		patterns []string
		want     []string
	}{
		// The guide's examples.
		{"all", []string{"*"}, all()},
		{"prefixes", []string{"eu-*", "us-*"}, []string{"eu-north-dev", "eu-west-prod", "eu-west-staging", "us-east-prod", "us-west-test"}},
		{"suffixes", []string{"*-prod", "*-staging"}, []string{"ap-south-prod", "eu-west-prod", "eu-west-staging", "us-east-prod"}},
		{"suffix but one", []string{"*-prod", "!us-east-prod"}, []string{"ap-south-prod", "eu-west-prod"}},
		{"exclusions only", []string{"!*-dev", "!*-test"}, all("eu-north-dev", "us-west-test")},
		{"one", []string{"us-east-prod"}, []string{"us-east-prod"}},
		{"both ends", []string{"us-*-prod"}, []string{"us-east-prod"}},

		{"nothing", nil, nil},
		{"no entries", []string{}, nil},
		{"braces", []string{"{eu,us}-*-prod"}, []string{"eu-west-prod", "us-east-prod"}},
		{"nested braces", []string{"{e{dge,u-north}-*,ap-*}"}, []string{"ap-south-prod", "edge-1", "edge-x", "eu-north-dev"}},
		{"an empty alternative", []string{"eu-west{,-prod}{,-staging}"}, []string{"eu-west-prod", "eu-west-staging"}},
		{"braces around one", []string{"{eu}-{west}-*"}, []string{"eu-west-prod", "eu-west-staging"}},
		{"braces around braces", []string{"{e{u,dge}}-{[!w]*}"}, []string{"edge-1", "edge-x", "eu-north-dev"}},
		{"a range", []string{"edge-[0-9]"}, []string{"edge-1"}},
		{"not a range", []string{"edge-[!0-9]"}, []string{"edge-x"}},
		{"a set", []string{"[ae][pu]-*"}, []string{"ap-south-prod", "eu-north-dev", "eu-west-prod", "eu-west-staging"}},
		{"not a set", []string{"e[!u]*"}, []string{"edge-1", "edge-x"}},
		{"a set with a dash", []string{"us[-.]west[-.]*"}, []string{"us-west-test", "us.west.prod"}},
		{"one character", []string{"edge??"}, []string{"edge-1", "edge-x"}},
		{"a star crosses dots", []string{"us*prod"}, []string{"us-east-prod", "us.west.prod"}},
		{"a star is empty", []string{"*edge-1*"}, []string{"edge-1"}},
		{"two stars are one", []string{"**-1"}, []string{"edge-1"}},
		{"inner runs in order", []string{"*e*w*s*"}, []string{"eu-west-prod", "eu-west-staging"}},
		{"inner runs do not overlap", []string{"*west*t-*"}, nil},
		{"ends do not overlap", []string{"edge-1*-1", "edge-1*1"}, nil},
		{"pattern in upper case", []string{"EU-*-PROD", "EDGE-[X-Z]"}, []string{"edge-x", "eu-west-prod"}},
		{"range of two cases", []string{"edge-[W-z]"}, []string{"edge-x"}},
		{"blanks", []string{" edge-1\t", "\n ! edge-x ", " ap-* "}, []string{"ap-south-prod", "edge-1"}},
		{"exclusion first", []string{"!eu-west-*", "eu-*"}, []string{"eu-north-dev"}},
		{"exclusion of what is named", []string{"edge-1", "!edge-1", "edge-x"}, []string{"edge-x"}},
		{"exclusion of all", []string{"edge-1", "!*"}, nil},
		{"exclusion of all only", []string{"!*"}, nil},
		{"excluded braces", []string{"!{eu,us}[-.]*"}, []string{"ap-south-prod", "edge-1", "edge-x"}},
		{"a pattern for no one", []string{"eu-east", "{,}"}, nil},
		{"a pattern for no one is not an exclusion", []string{"{,}", "!edge-1"}, nil},

		{"local", []string{"local"}, []string{"local"}},
		{"Local", []string{" LoCaL "}, []string{"local"}},
		{"local and others", []string{"edge-1", "local"}, []string{"edge-1", "local"}},
		{"local by a glob", []string{"l*", "?ocal", "[l]ocal", "{local}", "{local,edge-1}"}, []string{"edge-1"}},
		{"not local", []string{"local", "!LOCAL", "*"}, all()},
		{"not local only", []string{"!local"}, all()},
		{"local by exclusion", []string{"!edge-1"}, all("edge-1")},
		{"local among exclusions", []string{"!edge-1", "local"}, []string{"local"}},
		{"local but globs exclude", []string{"local", "!*", "!l*", "!{local}"}, []string{"local"}},
		{"local and all", []string{"*", "local", "!*-prod"}, append(all("ap-south-prod", "eu-west-prod", "us-east-prod"), "local")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := selects(mustParse(t, tc.patterns...), fleet)
			slices.Sort(tc.want)
			if diff := cmp.Diff(tc.want, got); diff != "" && len(tc.want)+len(got) > 0 {
				t.Errorf("%q (-want +got):\n%s", tc.patterns, diff)
			}
		})
	}
}

func TestMatchesAgentsInUpperCase(t *testing.T) {
	s := mustParse(t, "eu-[a-c]", "US-*", "local", "!eu-C")
	for agent, want := range map[string]bool{
		"EU-A": true, "eu-B": true, "Eu-c": false, "Us-X": true, "LOCAL": true, "AP-X": false,
	} {
		if got := s.Matches(agent, nil); got != want {
			t.Errorf("Matches(%q) = %t, want %t", agent, got, want)
		}
	}
}

// Exclusions must not let pass what is no name either.
func TestMatchesNoStringThatIsNoName(t *testing.T) {
	for _, patterns := range [][]string{{"*"}, {"!x"}, {"?*"}, {"[!x]*"}} {
		s := mustParse(t, patterns...)
		longest := strings.Repeat("a", MaxNameBytes)
		if !s.Matches(longest, nil) {
			t.Errorf("%q does not match the longest name", patterns)
		}
		for _, agent := range []string{
			"", " ", "a b", "a_b", "a/b", "*", "münchen", "\u212a", "\xff", "a\x00", longest + "a", strings.Repeat("a", 1<<16),
		} {
			if s.Matches(agent, nil) {
				t.Errorf("%q matches %.40q", patterns, agent)
			}
		}
	}
}

func TestZeroSelectorMatchesNothing(t *testing.T) {
	if got := selects(Selector{}, fleet); len(got) > 0 {
		t.Errorf("selects %q", got)
	}
}

// A caller may go on using the slice it gave.
func TestParseKeepsNothingOfTheList(t *testing.T) {
	patterns := []string{"eu-*", "!edge-1"}
	s := mustParse(t, patterns...)
	patterns[0], patterns[1] = "*", "*"
	if s.Matches("edge-x", nil) {
		t.Error("the selector changed with the list")
	}
}

func TestMatchesConcurrently(t *testing.T) {
	s := mustParse(t, "{eu,us}-*", "edge-[0-9]", "*-[!x]*-prod", "!*-dev", "local", "ap-south-prod")
	want := selects(s, fleet)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				copied := s
				if got := selects(copied, fleet); !slices.Equal(got, want) {
					t.Errorf("selects %q, want %q", got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func ExampleParse() {
	s, err := Parse([]string{"{eu,us}-*-prod", "!us-east-*", "local"})
	if err != nil {
		panic(err)
	}
	for _, agent := range []string{"eu-west-prod", "us-east-prod", "ap-south-prod", "local"} {
		fmt.Println(agent, s.Matches(agent, nil))
	}

	_, err = Parse([]string{"*-prod", "!us-east-prod", "eu-{a"})
	fmt.Println(err)
	// Output:
	// eu-west-prod true
	// us-east-prod false
	// ap-south-prod false
	// local true
	// agentSelector[2] "eu-{a": position 3: unclosed {
}
