package selector

import (
	"strings"
	"unicode"
)

// A list is a Selector in the making.
type list struct {
	selected, excluded set
	// selects and excludes say whether the list has any such pattern. A set may
	// be empty all the same: `local` goes into none.
	selects, excludes            bool
	localSelected, localExcluded bool
	// plain is set where all are names, and Local is one like any other.
	plain bool
	spent cost
}

// addAll takes in patterns of a list that the user knows by that name.
func (l *list) addAll(name string, patterns []string) error {
	var faults ParseError
	for i, pattern := range patterns[:min(len(patterns), MaxPatterns)] {
		if f := l.add(pattern); f != nil {
			faults.add(name, i, pattern, f)
		}
	}
	if len(patterns) > MaxPatterns {
		faults.add(name, MaxPatterns, patterns[MaxPatterns], fault(0, "more than %d patterns", MaxPatterns))
	}
	if faults.Total > 0 {
		return &faults
	}
	return nil
}

// add takes in one pattern as the user wrote it, or none of it if it is faulty.
func (l *list) add(pattern string) *PatternError {
	if len(pattern) > MaxPatternBytes {
		return fault(MaxPatternBytes, "longer than %d bytes", MaxPatternBytes)
	}
	end := len(strings.TrimRightFunc(pattern, unicode.IsSpace))
	start := skipBlanks(pattern[:end], 0)
	if start == end {
		return fault(0, "blank pattern")
	}
	excludes := pattern[start] == '!'
	if excludes {
		mark := start
		if start = skipBlanks(pattern[:end], mark+1); start == end {
			return fault(mark, "nothing after !")
		}
	}

	if !l.plain && strings.EqualFold(pattern[start:end], Local) {
		l.localSelected = l.localSelected || !excludes
		l.localExcluded = l.localExcluded || excludes
	} else if f := l.addTo(pattern[:end], start, excludes); f != nil {
		return f
	}
	l.selects = l.selects || !excludes
	l.excludes = l.excludes || excludes
	return nil
}

// addTo takes in what starts there in the pattern: a label selector or a glob.
func (l *list) addTo(pattern string, start int, excludes bool) *PatternError {
	if !l.plain && isLabels(pattern[start:]) {
		return l.addLabels(pattern, start, excludes)
	}
	return l.addGlob(pattern, start, excludes)
}

// addGlob takes in the glob that starts there in the pattern.
func (l *list) addGlob(pattern string, start int, excludes bool) *PatternError {
	tree, f := read(pattern, start)
	if f != nil {
		return f
	}
	// Counted first: spelling out is what the limit is there to prevent.
	spent := cost{alternatives: l.spent.alternatives + tree.count(), terms: l.spent.terms}
	if f := spent.exceeded(start); f != nil {
		return f
	}
	spelled := tree.spell()
	spent = l.spent
	for _, text := range spelled {
		spent.add(text)
	}
	if f := spent.exceeded(start); f != nil {
		return f
	}

	globs := make([]glob, len(spelled))
	for i, text := range spelled {
		var err error
		if globs[i], err = compile(text); err != nil {
			return fault(start, "%v", err)
		}
	}
	into := &l.selected
	if excludes {
		into = &l.excluded
	}
	into.add(globs)
	l.spent = spent
	return nil
}

func skipBlanks(s string, from int) int {
	return len(s) - len(strings.TrimLeftFunc(s[from:], unicode.IsSpace))
}
