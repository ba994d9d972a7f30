package selector

import (
	"strings"

	gobwas "github.com/gobwas/glob"
	"k8s.io/apimachinery/pkg/labels"
)

// A set matches what any of its entries matches.
type set struct {
	// names are the patterns that match nothing but themselves. A list may name
	// hundreds of agents; they cost one lookup.
	names map[string]struct{}
	globs []glob
	// labels are over what else is known of an agent than its name.
	labels []labels.Selector
}

func (s *set) add(globs []glob) {
	for _, g := range globs {
		if g.starred || g.first.pattern != nil {
			s.globs = append(s.globs, g)
			continue
		}
		if s.names == nil {
			s.names = make(map[string]struct{})
		}
		s.names[g.first.text] = struct{}{}
	}
}

func (s *set) matches(name string, of map[string]string) bool {
	if _, ok := s.names[name]; ok {
		return true
	}
	for i := range s.globs {
		if s.globs[i].matches(name) {
			return true
		}
	}
	for _, selector := range s.labels {
		if selector.Matches(labels.Set(of)) {
			return true
		}
	}
	return false
}

// A glob is a pattern without braces, cut at its stars into runs. A name matches
// if it begins with the first run, ends with the last, and has the inner ones in
// between in their order. For those, the leftmost place is as good as any that
// works, so nothing is ever tried twice.
type glob struct {
	starred     bool
	first, last run
	inner       []run
}

// compile expects text as sequence.spell returns it, which does not fail.
func compile(text string) (glob, error) {
	var (
		g    glob
		err  error
		runs = strings.Split(text, "*")
		last = len(runs) - 1
	)
	if g.first, err = compileRun(runs[0]); err != nil || last == 0 {
		return g, err
	}
	g.starred = true
	if g.last, err = compileRun(runs[last]); err != nil {
		return g, err
	}
	for _, text := range runs[1:last] {
		if text == "" {
			continue
		}
		r, err := compileRun(text)
		if err != nil {
			return g, err
		}
		g.inner = append(g.inner, r)
	}
	return g, nil
}

func (g *glob) matches(name string) bool {
	if !g.starred {
		return g.first.is(name)
	}
	rest := len(name) - g.last.width
	if rest < g.first.width || !g.first.is(name[:g.first.width]) || !g.last.is(name[rest:]) {
		return false
	}
	name = name[g.first.width:rest]
	for i := range g.inner {
		at := g.inner[i].index(name)
		if at < 0 {
			return false
		}
		name = name[at+g.inner[i].width:]
	}
	return true
}

// A run is a part of a pattern that has no star and no braces. It matches strings
// of one width only. gobwas/glob matches such a pattern in a single pass; it is
// stars and braces that make it go back and try again.
type run struct {
	width int
	// pattern is nil when the run is plain text.
	pattern *gobwas.Pattern
	text    string
}

func compileRun(text string) (run, error) {
	if !strings.ContainsAny(text, "?[") {
		return run{width: len(text), text: text}, nil
	}
	pattern, err := gobwas.Compile(text)
	r := run{pattern: pattern}
	for i := 0; i < len(text); i++ {
		if text[i] == '[' {
			i += strings.IndexByte(text[i:], ']')
		}
		r.width++
	}
	return r, err
}

// is reports whether the run matches the whole of s.
func (r *run) is(s string) bool {
	if r.pattern == nil {
		return s == r.text
	}
	return r.pattern.Match(s)
}

// index returns the first place in s where the run matches, or -1.
func (r *run) index(s string) int {
	if r.pattern == nil {
		return strings.Index(s, r.text)
	}
	for i := 0; i+r.width <= len(s); i++ {
		if r.pattern.Match(s[i : i+r.width]) {
			return i
		}
	}
	return -1
}
