package selector

import "strings"

// Namespaces tells which namespaces a list of patterns names. It never changes, so it may be copied and used
// concurrently. The zero Namespaces names none.
type Namespaces struct {
	named, excluded set
	exclusionsOnly  bool
}

// ParseNamespaces reads a list of patterns over the names of namespaces, with commas between them:
// "monitoring, team-*, !team-x". The rules are those of an agentSelector, but for Local, which is a name like any other
// here, and for labels, which are none of a namespace's. If any pattern is at fault the error is a *ParseError, and the Namespaces name none: they must not be acted upon.
func ParseNamespaces(text string) (Namespaces, error) {
	l := list{plain: true}
	if err := l.addAll("namespaces", splitOutsideBraces(text)); err != nil {
		return Namespaces{}, err
	}
	return Namespaces{named: l.selected, excluded: l.excluded, exclusionsOnly: l.excludes && !l.selects}, nil
}

// Matches reports whether the namespace of that name is among them.
func (n Namespaces) Matches(namespace string) bool {
	name, ok := foldName(namespace)
	return ok && !n.excluded.matches(name, nil) && (n.exclusionsOnly || n.named.matches(name, nil))
}

// SplitNamespaces returns the patterns of such a text without the blanks around them, and none of an empty one.
func SplitNamespaces(text string) []string {
	if text == "" {
		return nil
	}
	patterns := splitOutsideBraces(text)
	for i := range patterns {
		patterns[i] = strings.TrimSpace(patterns[i])
	}
	return patterns
}

// splitOutsideBraces splits text at the commas that stand in no braces. Braces that are not in pairs are left for the
// pattern's own reading to complain of.
func splitOutsideBraces(text string) []string {
	var parts []string
	depth, start := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '{':
			depth++
		case '}':
			depth = max(0, depth-1)
		case ',':
			if depth == 0 {
				parts = append(parts, text[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, text[start:])
}
