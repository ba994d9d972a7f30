package selector

import "strings"

// What one list may hold. Where a limit is on the list with its braces spelled
// out, `{eu,us}-{a,b}` counts as four patterns.
const (
	// MaxNameBytes is the length of the longest agent name, which is that of a
	// Kubernetes Secret. A longer string is no agent and matches nothing.
	MaxNameBytes = 253

	// MaxPatterns is the number of patterns.
	MaxPatterns = 512

	// MaxPatternBytes is the length of one pattern, with the blanks around it.
	// It exceeds MaxNameBytes because braces hold several names.
	MaxPatternBytes = 512

	// MaxNesting is how deep braces nest.
	MaxNesting = 8

	// MaxAlternatives is the number of patterns with braces spelled out.
	MaxAlternatives = 1024

	// MaxWildcards is the number of `*`, `?` and classes with braces spelled
	// out. Each takes memory, a class some hundred bytes.
	MaxWildcards = 2048

	// MaxSearches is the number of runs, with braces spelled out, that have a
	// `?` or a class and stand between two stars, as in `*-[0-9]-*`. They alone
	// are tried at every position of a name.
	MaxSearches = 32

	// MaxTerms is the number of terms over labels, as in `tier=prod,region in (a,b)`,
	// which has two.
	MaxTerms = 1024

	// MaxFaults is the number of faulty patterns that an error describes. It
	// counts all of them.
	MaxFaults = 16
)

// A cost is what a list spends of the limits on it as a whole.
type cost struct {
	alternatives, wildcards, searches, terms int
}

// add adds the cost of a pattern without braces.
func (c *cost) add(pattern string) {
	c.alternatives++
	c.wildcards += strings.Count(pattern, "*") + strings.Count(pattern, "?") + strings.Count(pattern, "[")
	runs := strings.Split(pattern, "*")
	for i, run := range runs {
		if 0 < i && i < len(runs)-1 && strings.ContainsAny(run, "?[") {
			c.searches++
		}
	}
}

// exceeded returns what to blame the pattern for that led to this cost, and that
// starts there, or nil.
func (c *cost) exceeded(start int) *PatternError {
	switch {
	case c.alternatives > MaxAlternatives:
		return fault(start, "the list comes to more than %d alternatives", MaxAlternatives)
	case c.wildcards > MaxWildcards:
		return fault(start, "the list comes to more than %d wildcards", MaxWildcards)
	case c.searches > MaxSearches:
		return fault(start, "the list comes to more than %d runs with ? or [] between stars", MaxSearches)
	}
	return nil
}
