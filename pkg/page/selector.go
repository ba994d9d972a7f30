package page

import (
	"slices"
	"strings"
	"time"

	"fanout/pkg/api"
	"fanout/pkg/selector"
)

// explained is a selector with what each of its entries does.
type explained struct {
	Entries []explainedEntry
	More    int // entries that are not shown
	// Rest is how many agents no entry speaks of.
	Rest int
	// OnlyExclusions says that all agents are selected but those that are excluded.
	OnlyExclusions bool
	// Partly says that there was no time to look at all agents.
	Partly bool
}

// explainedEntry is one entry: how many agents it is the first to take in, or to keep out.
type explainedEntry struct {
	Text     string
	Excludes bool
	Count    int
	Names    []agentLink
}

type agentLink struct{ Name, Href string }

// explainTime bounds what is spent on a selector that was made to be slow.
const explainTime = 50 * time.Millisecond

// explain tells what each entry of c's selector does to the agents that there are. Which one took an agent in is known of each copy.
func (s *snapshot) explain(c *api.Canary) (e explained) {
	index := map[string]int{}
	for _, text := range cleanList(c.Selector, maxEntry) {
		text = strings.TrimSpace(text)
		if _, twice := index[text]; !twice {
			index[text] = len(e.Entries)
		}
		e.Entries = append(e.Entries, explainedEntry{Text: text, Excludes: strings.HasPrefix(text, "!")})
	}
	e.More = len(c.Selector) - len(e.Entries)
	note := func(entry, agent string) {
		if at, known := index[entry]; known {
			e.Entries[at].Count++
			if len(e.Entries[at].Names) < namesShown {
				e.Entries[at].Names = append(e.Entries[at].Names, agentLink{agent, pathOf("agents", agent)})
			}
		}
	}
	selected := make([]bool, len(s.agents))
	for i := range c.Copies {
		clean := cleanCopy(c.Copies[i])
		note(clean.SelectedBy, clean.Agent)
		if place, known := s.places[c.Copies[i].Agent]; known {
			selected[place] = true
		}
	}
	why, err := selector.NewExplainer(c.Selector)
	if err != nil {
		return e
	}
	e.OnlyExclusions = !slices.ContainsFunc(e.Entries, func(each explainedEntry) bool { return !each.Excludes })
	end := time.Now().Add(explainTime)
	for i := range s.agents {
		if selected[i] {
			continue
		}
		if time.Now().After(end) {
			e.Partly = true
			break
		}
		switch reason := why.Explain(s.agents[i].Name, s.agents[i].Labels); {
		case reason.ExcludedBy != "":
			note(strings.TrimSpace(reason.ExcludedBy), s.agents[i].Name)
		case !reason.Selected:
			e.Rest++
		}
	}
	return e
}
