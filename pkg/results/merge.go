package results

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// merged points at one of each agent, by name. Where an agent is known twice, the one counts that was heard from its member, and of two the
// one that was heard later. The order of parts, and of agents in them, makes no difference.
func merged(parts ...[]Agent) []*Agent {
	var all []*Agent
	for _, part := range parts {
		all = slices.Grow(all, len(part))
		for i := range part {
			all = append(all, &part[i])
		}
	}
	slices.SortFunc(all, func(a, b *Agent) int {
		if order := strings.Compare(a.Name, b.Name); order != 0 {
			return order
		}
		return -compareKnowledge(a, b)
	})
	return slices.CompactFunc(all, func(a, b *Agent) bool { return a.Name == b.Name })
}

// compareKnowledge tells which of two knows better. Where nothing else decides it is their text, so that it is the same everywhere.
func compareKnowledge(a, b *Agent) int {
	if order := cmp.Or(
		compareBool(!a.Unheard, !b.Unheard),
		compareBool(a.Away.Reason == "", b.Away.Reason == ""),
		cmp.Compare(a.Result.Heard, b.Result.Heard),
	); order != 0 {
		return order
	}
	textA, _ := json.Marshal(a) // neither has anything that can't be marshaled
	textB, _ := json.Marshal(b)
	return bytes.Compare(textA, textB)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}
