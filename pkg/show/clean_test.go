package show

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"a line\n\tand é, 漢, 🙂", "a line\n\tand é, 漢, 🙂"},
		{"\x1b[2J", `\u001b[2J`},
		{"a\rb\x07\x00\x7f", `a\u000db\u0007\u0000\u007f`},
		{"\u202eback", `\u202eback`},
		{"\u0085\u009b", `\u0085\u009b`},
		{"\U000e0041", `\udb40\udc41`},
	} {
		var out strings.Builder
		if n, err := Clean(&out).Write([]byte(row.in)); n != len(row.in) || err != nil || out.String() != row.want {
			t.Errorf("%q is written as %q (%d, %v), not %q", row.in, out.String(), n, err, row.want)
		}
	}
}

// However it is cut, the same is written; a terminal is only told to write; and JSON means what it meant.
func TestCleanOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.Rune()), rapid.SampledFrom([]string{"\xff\xfe", "\xe2\x82"})).Draw(t, "text")
		data, err := json.MarshalIndent(map[string]string{"text": text}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		var whole, pieces strings.Builder
		_, _ = Clean(&whole).Write(data)
		w := Clean(&pieces)
		for len(data) > 0 {
			n := rapid.IntRange(1, len(data)).Draw(t, "n")
			_, _ = w.Write(data[:n])
			data = data[n:]
		}
		if whole.String() != pieces.String() {
			t.Fatalf("in pieces it is %q, and at once %q", pieces.String(), whole.String())
		}
		if i := strings.IndexFunc(whole.String(), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Fatalf("%q is written", whole.String()[i:])
		}
		var again map[string]string
		if err := json.Unmarshal([]byte(whole.String()), &again); err != nil || again["text"] != strings.ToValidUTF8(text, "\ufffd") && !strings.Contains(text, "\xff") && !strings.Contains(text, "\xe2") {
			t.Fatalf("%q became %q: %v", text, again["text"], err)
		}
	})
}

// What stands in a cell is on one line.
func TestTextIsOnOneLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := text(rapid.String().Draw(t, "text"))
		if got == "" || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q", got)
		}
	})
}
