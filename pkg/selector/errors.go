package selector

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxQuotedBytes is how much of a pattern an error message shows.
const maxQuotedBytes = 64

// A ParseError says what is wrong with a list of patterns. It unwraps to its
// Faults.
type ParseError struct {
	// Faults holds one fault per faulty pattern, in the list's order, but no
	// more than MaxFaults. It is never empty.
	Faults []*PatternError
	// Total is the number of faulty patterns, with those Faults has no room for.
	Total int
}

// Error puts the faults on one line, so that it fits a status field.
func (e *ParseError) Error() string {
	var b strings.Builder
	for i, f := range e.Faults {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(f.Error())
	}
	if more := e.Total - len(e.Faults); more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// Unwrap returns the faults, each a *PatternError.
func (e *ParseError) Unwrap() []error {
	errs := make([]error, len(e.Faults))
	for i, f := range e.Faults {
		errs[i] = f
	}
	return errs
}

func (e *ParseError) add(list string, index int, pattern string, f *PatternError) {
	f.List, f.Index, f.Pattern = list, index, pattern
	e.Total++
	if len(e.Faults) < MaxFaults {
		e.Faults = append(e.Faults, f)
	}
}

// A PatternError is the first fault of one pattern.
type PatternError struct {
	// List is what the list is called where the user wrote it.
	List string
	// Index is the pattern's place in the list.
	Index int
	// Pattern is the pattern as the user wrote it.
	Pattern string
	// Position is where in Pattern the fault is, in bytes from 0. What is never
	// closed is at fault where it opens.
	Position int
	// Reason says what is wrong there.
	Reason string
}

// Error is short and printable, whatever the pattern holds.
func (e *PatternError) Error() string {
	return fmt.Sprintf("%s[%d] %s: position %d: %s", e.List, e.Index, quote(e.Pattern), e.Position, e.Reason)
}

// fault is a PatternError that is yet to be told its pattern; see ParseError.add.
func fault(position int, format string, args ...any) *PatternError {
	return &PatternError{Position: position, Reason: fmt.Sprintf(format, args...)}
}

// quote makes s printable, and cuts it between characters if it is long.
func quote(s string) string {
	if len(s) <= maxQuotedBytes {
		return strconv.Quote(s)
	}
	end := maxQuotedBytes
	for end > maxQuotedBytes-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return strconv.Quote(s[:end]) + "…"
}
