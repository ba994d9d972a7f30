package selector

import "strings"

// foldName returns an agent's name in the case that matching is done in, or
// false if the string cannot be one. It takes letters of both cases, although a
// Secret's name has none in upper case.
func foldName(s string) (string, bool) {
	if s == "" || len(s) > MaxNameBytes {
		return "", false
	}
	folded := true
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z': // nearly all of them
		case !isNameByte(c):
			return "", false
		case lower(c) != c:
			folded = false
		}
	}
	if !folded {
		s = strings.ToLower(s)
	}
	return s, true
}

// isNameByte reports whether a name may have c in it, which for patterns are the
// characters that stand for themselves.
func isNameByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.':
		return true
	}
	return false
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
