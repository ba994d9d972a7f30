package results

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clip returns a text of anybody's as it may be shown anywhere: on one line, with nothing in it that does harm, and of no more bytes
// than limit.
func Clip(s string, limit int) string { return clip(s, limit) }

// clip returns s without what could do harm where it is shown (see Harmless), and no more than limit bytes of it: of a longer text
// the beginning and the end, which is where an error says what went wrong. Its work is bounded by limit, and clipping twice is
// clipping once.
func clip(s string, limit int) string {
	const look = 2 // times as much is looked at as is kept, at either end
	if limit < len("…") {
		return ""
	}
	if len(s) <= limit && isPlain(s) {
		return s
	}
	begin, end := s, s
	if whole := len(s) <= 2*look*limit; whole {
		begin = Harmless(s)
		if end = begin; len(begin) <= limit {
			return begin
		}
	} else {
		begin, end = Harmless(s[:look*limit]), Harmless(s[len(s)-look*limit:])
	}
	room := limit - len("…")
	return front(begin, room-room/3) + "…" + back(end, room/3)
}

func front(s string, limit int) string {
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	return strings.TrimRight(s, " ")
}

func back(s string, limit int) string {
	if from := len(s) - limit; from > 0 {
		for from < len(s) && !utf8.RuneStart(s[from]) {
			from++
		}
		s = s[from:]
	}
	return strings.TrimLeft(s, " ")
}

// isPlain tells whether Harmless would leave s as it is, for most of the texts for which it would.
func isPlain(s string) bool {
	before := byte(' ')
	for i := range len(s) {
		if b := s[i]; b < ' ' || b >= utf8.RuneSelf-1 || b == ' ' && before == ' ' {
			return false
		}
		before = s[i]
	}
	return s == "" || before != ' '
}

// Harmless returns s on one line: every run of blanks and control characters is a blank, what is not printed (among it what turns
// the direction of writing or has no width) is left out, and what is no UTF-8 is shown as that.
func Harmless(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	blank := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			blank = true
		case unicode.IsPrint(r):
			if blank && b.Len() > 0 {
				b.WriteByte(' ')
			}
			blank = false
			b.WriteRune(r) // U+FFFD for what is no UTF-8
		}
	}
	return b.String()
}

// word returns the letters and digits of a reason, which is one word.
func word(reason string) string {
	const limit = 40
	for i := range len(reason) {
		if !isLetter(reason[i]) || i == limit {
			return strings.Map(func(r rune) rune {
				if r < utf8.RuneSelf && isLetter(byte(r)) {
					return r
				}
				return -1
			}, reason[:min(len(reason), limit)])
		}
	}
	return reason
}

func isLetter(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

// jsonSize is how many bytes s, which is harmless, takes in JSON as Kubernetes writes it.
func jsonSize(s string) int {
	size := len(s) + len(`""`)
	for i := range len(s) {
		switch s[i] {
		case '"', '\\':
			size++
		case '<', '>', '&':
			size += len(`\u003c`) - 1
		}
	}
	return size
}
