package selector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

func TestFaults(t *testing.T) {
	const inNoName = "is in no name (to select by a label, name its values: key in (a,b))"
	const mixed = "neither one range, as [a-c], nor one set, as [abc]"
	for _, tc := range []struct {
		pattern  string
		position int
		reason   string
	}{
		{"", 0, "blank pattern"},
		{" \t\n", 0, "blank pattern"},
		{"!", 0, "nothing after !"},
		{"  !  ", 2, "nothing after !"},
		{"!!a", 1, "'!' is in no name"},
		{"a!", 1, "'!' is in no name"},

		{"eu-{a", 3, "unclosed {"},
		{" ! eu-{a", 6, "unclosed {"},
		{"{", 0, "unclosed {"},
		{"{a,", 0, "unclosed {"},
		{"{a,{b}", 0, "unclosed {"},
		{"{a,{b", 3, "unclosed {"},
		{"{a}}", 3, "unopened }"},
		{"a}", 1, "unopened }"},
		{"a]", 1, "unopened ]"},
		{"{a]}", 2, "unopened ]"},
		{"a{}", 1, "empty {}"},
		{"{{{{{{{{{a}}}}}}}}}", 8, "braces nest deeper than 8"},

		{"edge-[0-9", 5, "unclosed ["},
		{"[", 0, "unclosed ["},
		{"[]", 0, "empty []"},
		{"[!]", 0, "empty []"},
		{"[]a]", 0, "empty []"},
		{"[z-a]", 1, "range z-a runs backwards"},
		{"[Z-a]", 1, "range Z-a runs backwards"},
		{"[!z-a]", 2, "range z-a runs backwards"},
		{"[a-]", 1, "range without an end"},
		{"[a-z0-9]", 1, mixed},
		{"[a-ce]", 1, mixed},
		{"[ac-e]", 1, mixed},
		{"[-a-c]", 1, mixed},
		{"[!!]", 2, "'!' is in no name"},
		{"[^a]", 1, "'^' is in no name"},
		{"[a,b]", 2, "comma outside braces (a pattern is an entry of its own)"},
		{`[\]]`, 1, `'\\' is in no name`},
		{"{[a}]}", 3, "unopened }"},

		{"eu-*,us-*", 4, "comma outside braces (a pattern is an entry of its own)"},
		{"{eu, us}-*", 4, "' ' " + inNoName},
		{"eu us", 2, "' ' " + inNoName},
		{"topology.kubernetes.io/region", 22, "'/' " + inNoName},
		{"region in eu,us", 6, "' ' " + inNoName},
		{"region(eu)", 6, "'(' " + inNoName},
		{"{a=b,c}", 2, "'=' is in no name"},
		{"edge-[=]", 6, "'=' is in no name"},

		{"tier==", 0, "no value for tier, or an empty one"},
		{" ! tier=", 3, "no value for tier, or an empty one"},
		{"tier!=", 0, "no value for tier, or an empty one"},
		{"a=b,tier in ()", 4, "no value for tier, or an empty one"},
		{"tier in (a,)", 0, "no value for tier, or an empty one"},
		{"region in (eu,us", 10, "unclosed ("},
		{"tier=prod,region in (eu", 20, "unclosed ("},
		{"tier=prod,eu-west", 10, "eu-west alone: a name is an entry of its own, and a label is asked for by its values, as in eu-west in (a,b)"},
		{"tier=prod,!gpu", 11, "gpu alone: a name is an entry of its own, and a label is asked for by its values, as in gpu in (a,b)"},
		{"eu_west", 2, "'_' is in no name"},
		{`eu\*`, 2, `'\\' is in no name`},
		{`eu\`, 2, `'\\' is in no name`},
		{"hello%20", 5, "'%' is in no name"},
		{"münchen-*", 1, "U+00FC 'ü' is in no name"},
		{"eu\u212a", 2, "U+212A '\u212a' is in no name"}, // the Kelvin sign, whose lower case is k
		{"a\x00", 1, `'\x00' is in no name`},
		{"eu-\xff", 3, "invalid UTF-8"},
		{"[\xff]", 1, "invalid UTF-8"},
		{"\u00a0\xe2\x80", 2, "invalid UTF-8"},
		{"\ufffd", 0, "U+FFFD '\ufffd' is in no name"},
	} {
		_, err := Parse([]string{"ok-*", tc.pattern})
		var got *PatternError
		if !errors.As(err, &got) {
			t.Errorf("Parse(%q): %v, want a PatternError", tc.pattern, err)
			continue
		}
		want := &PatternError{List: "agentSelector", Index: 1, Pattern: tc.pattern, Position: tc.position, Reason: tc.reason}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", tc.pattern, diff)
		}
	}
}

func TestEveryFaultyPatternIsReported(t *testing.T) {
	s, err := Parse([]string{"[", "eu-*", "a}", "!us-*", " "})
	want := `agentSelector[0] "[": position 0: unclosed [; ` +
		`agentSelector[2] "a}": position 1: unopened }; ` +
		`agentSelector[4] " ": position 0: blank pattern`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if got := selects(s, fleet); len(got) > 0 {
		t.Errorf("a faulty list selects %q", got)
	}
}

func TestFaultsAreBounded(t *testing.T) {
	_, err := Parse(slices.Repeat([]string{strings.Repeat("é", 1<<16)}, 1<<16))
	var parseError *ParseError
	if !errors.As(err, &parseError) {
		t.Fatalf("got %v, want a ParseError", err)
	}
	// One more for the list, which is too long.
	if got, want := parseError.Total, MaxPatterns+1; got != want {
		t.Errorf("counts %d faulty patterns, want %d", got, want)
	}
	if got := len(parseError.Faults); got != MaxFaults {
		t.Errorf("describes %d faulty patterns, want %d", got, MaxFaults)
	}
	if got := len(parseError.Unwrap()); got != MaxFaults {
		t.Errorf("unwraps to %d errors, want %d", got, MaxFaults)
	}
	if want := fmt.Sprintf("; and %d more", MaxPatterns+1-MaxFaults); !strings.HasSuffix(err.Error(), want) {
		t.Errorf("does not end in %q: %s", want, err)
	}
	checkMessage(t, err)
}

// checkMessage checks that a message suits a status field and a terminal.
func checkMessage(t *testing.T, err error) {
	t.Helper()
	message := err.Error()
	if len(message) > (MaxFaults+1)*(4*maxQuotedBytes+200) {
		t.Errorf("the message is %d bytes long", len(message))
	}
	for _, r := range message {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			t.Errorf("%U in the message %q", r, message)
		}
	}
}

func TestLongPatternsAreCutBetweenCharacters(t *testing.T) {
	e := PatternError{List: "agentSelector", Index: 3, Pattern: "a" + strings.Repeat("é", 100), Position: 1, Reason: "bad"}
	want := `agentSelector[3] "a` + strings.Repeat("é", 31) + `"…: position 1: bad`
	if got := e.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, pattern := range []string{strings.Repeat("\x80", 100), strings.Repeat("\x1b[2J", 100), strings.Repeat("\u202e", 100), "\"\n"} {
		checkMessage(t, &PatternError{Pattern: pattern, Reason: "bad"})
	}
}
