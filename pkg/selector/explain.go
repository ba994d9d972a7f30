package selector

import "strings"

// An Explainer tells why a list of entries selects an agent, or why it does not.
type Explainer struct {
	selector Selector
	entries  []entry
}

// An entry is one of a list, as the user wrote it but for the blanks around it, with what it alone says.
type entry struct {
	text string
	says list
}

// A Reason is why an agent is selected or not. Where nothing speaks of it both entries are empty, and it is selected
// only by a list of exclusions.
type Reason struct {
	Selected bool
	// SelectedBy is the first entry that takes the agent in, also where an exclusion wins over it.
	SelectedBy string
	// ExcludedBy is the first entry that excludes it.
	ExcludedBy string
}

// NewExplainer reads a list of entries as Parse does, with the same errors.
func NewExplainer(patterns []string) (*Explainer, error) {
	s, err := Parse(patterns)
	if err != nil {
		return nil, err
	}
	e := &Explainer{selector: s, entries: make([]entry, len(patterns))}
	for i, pattern := range patterns {
		e.entries[i].text = strings.TrimSpace(pattern)
		e.entries[i].says.add(pattern) // which can't fail, since the whole list did not
	}
	return e, nil
}

// Explain tells what Matches says of the agent of that name and with those labels, and why.
func (e *Explainer) Explain(agent string, labels map[string]string) Reason {
	reason := Reason{Selected: e.selector.Matches(agent, labels)}
	name, ok := foldName(agent)
	if !ok {
		return reason
	}
	for i := range e.entries {
		each := &e.entries[i]
		if reason.SelectedBy == "" && each.says.takesIn(name, labels) {
			reason.SelectedBy = each.text
		}
		if reason.ExcludedBy == "" && each.says.keepsOut(name, labels) {
			reason.ExcludedBy = each.text
		}
	}
	return reason
}

func (l *list) takesIn(name string, labels map[string]string) bool {
	if name == Local {
		return l.localSelected
	}
	return l.selected.matches(name, labels)
}

func (l *list) keepsOut(name string, labels map[string]string) bool {
	if name == Local {
		return l.localExcluded
	}
	return l.excluded.matches(name, labels)
}
