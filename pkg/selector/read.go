package selector

import (
	"strings"
	"unicode/utf8"
)

// A sequence is a pattern as read: its parts one after the other.
type sequence []part

// A part is either text without braces, in lower case, or the alternatives
// between two braces, of which there are at least two.
type part struct {
	text         string
	alternatives []sequence
}

// read reads the glob that starts there in the pattern and goes on to its end.
// What it lets pass, gobwas/glob can compile, and means the same by.
func read(pattern string, start int) (sequence, *PatternError) {
	r := reader{pattern: pattern, at: start}
	return r.sequence(0)
}

// A reader holds the pattern as the user wrote it, so that its offsets are the
// positions to report.
type reader struct {
	pattern string
	at      int
}

func (r *reader) atEnd() bool {
	return r.at == len(r.pattern)
}

// sequence reads up to the pattern's end or, within braces, to what ends the
// alternative.
func (r *reader) sequence(depth int) (sequence, *PatternError) {
	var seq sequence
	for !r.atEnd() {
		switch c := r.pattern[r.at]; {
		case c == '{':
			alternatives, f := r.braces(depth + 1)
			if f != nil {
				return nil, f
			}
			seq = seq.join(alternatives)
		case depth > 0 && (c == ',' || c == '}'):
			return seq, nil
		case c == '[':
			text, f := r.class()
			if f != nil {
				return nil, f
			}
			seq = seq.joinText(text)
		case isText(c):
			seq = seq.joinText(r.text())
		default:
			return nil, r.misplaced()
		}
	}
	return seq, nil
}

// text reads what has no structure.
func (r *reader) text() string {
	start := r.at
	for !r.atEnd() && isText(r.pattern[r.at]) {
		r.at++
	}
	return strings.ToLower(r.pattern[start:r.at])
}

func isText(c byte) bool {
	return c == '*' || c == '?' || isNameByte(c)
}

// braces reads alternatives from the opening brace to the closing one.
func (r *reader) braces(depth int) ([]sequence, *PatternError) {
	open := r.at
	if depth > MaxNesting {
		return nil, fault(open, "braces nest deeper than %d", MaxNesting)
	}
	var alternatives []sequence
	for closed := false; !closed; {
		r.at++ // the brace, or the comma
		seq, f := r.sequence(depth)
		if f != nil {
			return nil, f
		}
		if r.atEnd() {
			return nil, fault(open, "unclosed {")
		}
		alternatives = append(alternatives, seq)
		closed = r.pattern[r.at] == '}'
	}
	r.at++
	if len(alternatives) == 1 && len(alternatives[0]) == 0 {
		return nil, fault(open, "empty {}")
	}
	return alternatives, nil
}

// class reads a class from bracket to bracket. gobwas/glob takes a `-` amid a
// set for itself, so that [ac-e] has no d: a class that looks like a set and a
// range at once is refused rather than misunderstood.
func (r *reader) class() (string, *PatternError) {
	open := r.at
	length := strings.IndexByte(r.pattern[open:], ']')
	if length < 0 {
		return "", fault(open, "unclosed [")
	}
	r.at++
	if r.pattern[r.at] == '!' {
		r.at++
	}
	first, end := r.at, open+length
	for ; r.at < end; r.at++ {
		if !isNameByte(r.pattern[r.at]) {
			return "", r.misplaced()
		}
	}
	r.at++ // the closing bracket

	members := r.pattern[first:end]
	dash := strings.LastIndexByte(members, '-')
	isRange := len(members) > 1 && members[1] == '-'
	switch {
	case members == "":
		return "", fault(open, "empty []")
	case isRange && len(members) == 2:
		return "", fault(first, "range without an end")
	case isRange && len(members) > 3, !isRange && dash > 0 && dash < len(members)-1:
		return "", fault(first, "neither one range, as [a-c], nor one set, as [abc]")
	case isRange && lower(members[0]) > lower(members[2]):
		return "", fault(first, "range %s runs backwards", members)
	}
	return strings.ToLower(r.pattern[open:r.at]), nil
}

// misplaced says why the next character may not be where it is.
func (r *reader) misplaced() *PatternError {
	c, size := utf8.DecodeRuneInString(r.pattern[r.at:])
	switch {
	case c == utf8.RuneError && size == 1:
		return fault(r.at, "invalid UTF-8")
	case c == ',':
		return fault(r.at, "comma outside braces (a pattern is an entry of its own)")
	case c == '}' || c == ']':
		return fault(r.at, "unopened %c", c)
	case c == '/' || c == ' ' || c == '(' || c == ')':
		return fault(r.at, "%q is in no name (to select by a label, name its values: key in (a,b))", c)
	case c >= utf8.RuneSelf: // one that may look like a letter it is not
		return fault(r.at, "%#U is in no name", c)
	}
	return fault(r.at, "%q is in no name", c)
}
