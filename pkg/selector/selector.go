package selector

// Local is the name that stands for the hub itself among the agents. See the
// package's rules for what matches it.
const Local = "local"

// A Selector tells which agents a list of patterns selects. It never changes, so
// it may be copied and used concurrently. The zero Selector selects nothing.
type Selector struct {
	selected, excluded set
	// exclusionsOnly is set when the list excludes and does nothing else.
	exclusionsOnly bool
	// local is set when the list names Local and does not exclude it.
	local bool
}

// Parse reads a list of entries. An empty list selects nothing. If any entry
// is at fault the error is a *ParseError, which describes each of them, and the
// Selector selects nothing: it must not be acted upon.
func Parse(patterns []string) (Selector, error) {
	var l list
	if err := l.addAll("agentSelector", patterns); err != nil {
		return Selector{}, err
	}
	return Selector{
		selected:       l.selected,
		excluded:       l.excluded,
		exclusionsOnly: l.excludes && !l.selects,
		local:          l.localSelected && !l.localExcluded,
	}, nil
}

// Matches reports whether the selector selects the agent of that name and with
// those labels, or the hub if it is Local. A string that cannot be an agent's name, because it is
// empty, longer than MaxNameBytes or has a character that names do not have, is
// never selected.
func (s Selector) Matches(agent string, labels map[string]string) bool {
	name, ok := foldName(agent)
	switch {
	case !ok:
		return false
	case name == Local:
		return s.local
	case s.excluded.matches(name, labels):
		return false
	}
	return s.exclusionsOnly || s.selected.matches(name, labels)
}
