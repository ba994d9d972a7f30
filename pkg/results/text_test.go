package results

import "testing"

func TestClips(t *testing.T) {
	for _, row := range []struct {
		text  string
		limit int
		want  string
	}{
		{"short", 10, "short"},
		{"", 10, ""},
		{"exactly ten", 11, "exactly ten"},
		{"the beginning, and how it ends", 18, "the beginn…ends"},
		{"one two three four", 8, "one…r"},
		{"one  two\n\tthree ", 20, "one two three"},
		{"äöüäöüäöü", 10, "äö…ü"},
		{"\x1b[31mred\x1b[0m", 20, "[31mred [0m"},
		{"\u202eltr\u2066 \u200bzero", 20, "ltr zero"},
		{"a\xffb", 10, "a\ufffdb"},
		{"\u2028\u00a0\x00", 10, ""},
		{"anything", 2, ""},
		{"anything", 3, "…"},
	} {
		if got := clip(row.text, row.limit); got != row.want {
			t.Errorf("%q, %d: %q, want %q", row.text, row.limit, got, row.want)
		}
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{"Conflict": "Conflict", "": "", "a, b (c): é": "abc", "0123456789012345678901234567890123456789xyz": "0123456789012345678901234567890123456789"} {
		if got := word(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
