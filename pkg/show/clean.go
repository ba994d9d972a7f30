package show

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// Clean returns a writer for a terminal: what is neither printed nor a blank, a tab or the end of a line is written in the way that JSON
// escapes it, so that no text which comes from a member moves the cursor, changes colours or turns the direction of writing. JSON stays the
// same JSON.
func Clean(out io.Writer) io.Writer { return &cleaner{out: out} }

type cleaner struct {
	out  io.Writer
	rest []byte // the beginning of a character whose end is yet to come
}

func (c *cleaner) Write(p []byte) (int, error) {
	text := append(c.rest, p...)
	c.rest = nil
	clean := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 && !utf8.FullRune(text) {
			c.rest = append([]byte(nil), text...)
			break
		}
		clean = appendClean(clean, r)
		text = text[size:]
	}
	if _, err := c.out.Write(clean); err != nil {
		return 0, err
	}
	return len(p), nil
}

func appendClean(text []byte, r rune) []byte {
	switch {
	case r == '\n', r == '\t', r == ' ', unicode.IsPrint(r):
		return utf8.AppendRune(text, r)
	case r > 0xffff:
		high, low := rune(0xd800+(r-0x10000)>>10), rune(0xdc00+(r-0x10000)&0x3ff)
		return fmt.Appendf(text, `\u%04x\u%04x`, high, low)
	default:
		return fmt.Appendf(text, `\u%04x`, r)
	}
}
