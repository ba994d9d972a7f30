package selector

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/labels"
)

// refSelects states the rules once more, as plainly as can be, for an agent
// without labels. It knows valid entries only.
func refSelects(patterns []string, agent string) bool {
	agent = strings.ToLower(agent)
	selects, positive := false, len(patterns) == 0
	for _, p := range patterns {
		p, excludes := strings.CutPrefix(strings.TrimSpace(p), "!")
		p = strings.ToLower(strings.TrimSpace(p))
		matches := false
		switch parsed, err := labels.Parse(p); {
		case agent == "local" || p == "local":
			matches = p == agent
		case err == nil && strings.ContainsAny(p, "=("):
			matches = parsed.Matches(labels.Set{})
		default:
			matches = refMatches(p, agent)
		}
		if excludes && matches {
			return false
		}
		positive = positive || !excludes
		selects = selects || matches
	}
	return selects || !positive && agent != "local"
}

func refMatches(pattern, name string) bool {
	return slices.ContainsFunc(refSpell(pattern), func(p string) bool { return refGlob(p, name) })
}

// refSpell replaces the innermost braces by each of their alternatives, until
// there are none.
func refSpell(pattern string) []string {
	end := strings.IndexByte(pattern, '}')
	if end < 0 {
		return []string{pattern}
	}
	start := strings.LastIndexByte(pattern[:end], '{')
	var spelled []string
	for alternative := range strings.SplitSeq(pattern[start+1:end], ",") {
		spelled = append(spelled, refSpell(pattern[:start]+alternative+pattern[end+1:])...)
	}
	return spelled
}

// refGlob fills a table: reached[i] says whether what is read of the pattern so
// far matches the first i characters of the name.
func refGlob(pattern, name string) bool {
	reached := make([]bool, len(name)+1)
	reached[0] = true
	for pattern != "" {
		size := 1
		if pattern[0] == '[' {
			size = strings.IndexByte(pattern, ']') + 1
		}
		token := pattern[:size]
		pattern = pattern[size:]
		next := make([]bool, len(name)+1)
		for i, ok := range reached {
			switch {
			case token == "*":
				next[i] = ok || i > 0 && next[i-1]
			case ok && i < len(name) && refOne(token, name[i]):
				next[i+1] = true
			}
		}
		reached = next
	}
	return reached[len(name)]
}

func refOne(token string, c byte) bool {
	if token == "?" || token == string(c) {
		return true
	}
	class, isClass := strings.CutPrefix(token, "[")
	if !isClass {
		return false
	}
	class, not := strings.CutPrefix(strings.TrimSuffix(class, "]"), "!")
	in := strings.IndexByte(class, c) >= 0
	if len(class) == 3 && class[1] == '-' {
		in = class[0] <= c && c <= class[2]
	}
	return in != not
}

func TestReference(t *testing.T) {
	for _, tc := range []struct {
		patterns string
		agent    string
		want     bool
	}{
		{"", "a", false},
		{"a*b", "axxb", true},
		{"a*b", "axxbc", false},
		{"*a*a*", "a", false},
		{"*a*a*", "bab.a", true},
		{"x{a,b{c,}}y", "xby", true},
		{"x{a,b{c,}}y", "xcy", false},
		{"[a-c][!a-c][ab-]", "bd-", true},
		{"?", "ab", false},
		{"! A ", "a", false},
		{"! A ", "b", true},
		{"!b|a", "c", false},
		{"*", "local", false},
		{"!*|local", "local", true},
		{"!a", "local", false},
	} {
		var patterns []string
		if tc.patterns != "" {
			patterns = strings.Split(tc.patterns, "|")
		}
		if got := refSelects(patterns, tc.agent); got != tc.want {
			t.Errorf("%q selects %q: %t", patterns, tc.agent, got)
		}
	}
}
