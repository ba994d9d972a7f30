package merged

import (
	"cmp"
	"slices"
	"strings"

	"fanout/pkg/api"
)

// Of replicas that share the members each tells of its own, and of the parents whose statuses it writes, with all of their agents. While one
// goes from one to another both may tell of it.

func mergeAgents(answers []api.Agents) api.Agents {
	merged := answers[0]
	for _, answer := range answers[1:] {
		merged.Teller = mergedTeller(merged.Teller, answer.Teller)
		merged.Items = append(merged.Items, answer.Items...)
	}
	slices.SortStableFunc(merged.Items, func(a, b api.Agent) int {
		// Of one that goes from one replica to another, whoever works with it knows more.
		return cmp.Or(strings.Compare(a.Name, b.Name), -cmp.Compare(a.ServerVersion, b.ServerVersion))
	})
	merged.Items = slices.CompactFunc(merged.Items, func(a, b api.Agent) bool { return a.Name == b.Name })
	return merged
}

func mergeCanaries(answers []api.Canaries) api.Canaries {
	merged := answers[0]
	for _, answer := range answers[1:] {
		merged.Teller = mergedTeller(merged.Teller, answer.Teller)
		merged.Items = append(merged.Items, answer.Items...)
	}
	slices.SortStableFunc(merged.Items, compareNames)
	merged.Items = slices.CompactFunc(merged.Items, func(a, b api.Canary) bool { return compareNames(a, b) == 0 })
	return merged
}

func compareNames(a, b api.Canary) int {
	return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
}

// mergedTeller is who tells what several do.
func mergedTeller(a, b api.Teller) api.Teller {
	if b.Time.After(a.Time) {
		a.Time = b.Time
	}
	a.Replica = ""
	return a
}
