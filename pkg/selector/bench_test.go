package selector

import (
	"fmt"
	"strings"
	"testing"
)

// benchAgents are 5,000 names as a fleet has them.
func benchAgents() []string {
	regions := []string{"eu-west", "eu-north", "us-east", "us-west", "ap-south"}
	stages := []string{"prod", "staging", "test", "dev"}
	agents := make([]string, 5000)
	for i := range agents {
		agents[i] = fmt.Sprintf("%s-edge-%d-%s", regions[i%len(regions)], i, stages[i/7%len(stages)])
	}
	return agents
}

func BenchmarkMatches(b *testing.B) {
	agents := benchAgents()
	for _, bc := range []struct {
		name     string
		patterns []string
	}{
		{"literal", agents[17:18]},
		{"512 literals", agents[:MaxPatterns]},
		{"all", []string{"*"}},
		{"prefix", []string{"eu-*"}},
		{"suffix", []string{"*-prod"}},
		{"affixes", []string{"us-*-prod"}},
		{"contains", []string{"*-edge-*"}},
		{"braces", []string{"{eu,us}-*"}},
		{"class", []string{"*-edge-[0-9]*-prod"}},
		{"searched class", []string{"*-[0-9]-*"}},
		{"exclusions", []string{"!*-dev", "!*-test"}},
		{"typical", []string{"{eu,us}-*-prod", "*-staging", "!us-east-*", "local"}},
		{"upper case", []string{"EU-*"}},
	} {
		s := mustParse(b, bc.patterns...)
		b.Run("patterns="+bc.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				s.Matches(agents[i], nil)
				if i++; i == len(agents) {
					i = 0
				}
			}
		})
	}
	regions, tiers := []string{"eu", "us", "ap"}, []string{"prod", "staging", "test", "dev"}
	of := make([]map[string]string, len(agents))
	for i := range of {
		of[i] = map[string]string{"tier": tiers[i%4], "region": regions[i%3], "team": "platform", "example.com/owner": "somebody"}
	}
	long := "tier=prod"
	for term := ",tier!=x"; len(long)+len(term) <= MaxPatternBytes; {
		long += term // which all have to be true, and are
	}
	for _, bc := range []struct {
		name     string
		patterns []string
	}{
		{"labels", []string{"tier=prod"}},
		{"labels, two terms", []string{"tier=prod,region in (eu,us)"}},
		{"labels and names", []string{"tier=prod,region in (eu,us)", "*-edge-1*", "!maintenance=true"}},
		{"labels, as long as may be", []string{long}},
	} {
		s := mustParse(b, bc.patterns...)
		b.Run("patterns="+bc.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				s.Matches(agents[i], of[i])
				if i++; i == len(agents) {
					i = 0
				}
			}
		})
	}
	b.Run("patterns=worst", func(b *testing.B) {
		s, name := worstSearch(b)
		b.ReportAllocs()
		for b.Loop() {
			s.Matches(name, nil)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, bc := range []struct {
		name     string
		patterns []string
	}{
		{"typical", []string{"{eu,us}-*-prod", "*-staging", "!us-east-*", "local"}},
		{"512 literals", benchAgents()[:MaxPatterns]},
		{"worst", []string{strings.Repeat("{a,b}", 10) + strings.Repeat("[ab]", 1)}},
	} {
		b.Run("patterns="+bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(bc.patterns); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
