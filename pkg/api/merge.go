package api

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// MergeAgents makes one answer of those of replicas that share the members. Each tells of all agents what it knows: of an agent
// that another one works with it knows less, so whoever knows more is believed.
func MergeAgents(answers []Agents) Agents {
	var merged Agents
	best := map[string]Agent{}
	for i, answer := range answers {
		merged.Teller = mergedTeller(merged.Teller, answer.Teller, i)
		for _, agent := range answer.Items {
			if known, ok := best[agent.Name]; !ok || knowsMore(&agent, &known) {
				best[agent.Name] = agent
			}
		}
	}
	merged.Items = slices.SortedFunc(maps.Values(best), func(a, b Agent) int { return strings.Compare(a.Name, b.Name) })
	return merged
}

func knowsMore(a, b *Agent) bool {
	known := func(a *Agent) int {
		switch {
		case a.ServerVersion != "":
			return 2
		case a.Selected > 0 || a.Detail != "":
			return 1
		default:
			return 0
		}
	}
	return cmp.Or(cmp.Compare(known(a), known(b)), cmp.Compare(a.InSync+a.OutOfSync, b.InSync+b.OutOfSync)) > 0
}

// MergeCanaries makes one answer of those of replicas that share the members: of each parent their agents together.
func MergeCanaries(answers []Canaries) Canaries {
	var merged Canaries
	at := map[[2]string]int{}
	for i, answer := range answers {
		merged.Teller = mergedTeller(merged.Teller, answer.Teller, i)
		for _, canary := range answer.Items {
			key := [2]string{canary.Namespace, canary.Name}
			if j, ok := at[key]; ok {
				merged.Items[j] = mergeCanary(merged.Items[j], canary)
				continue
			}
			at[key] = len(merged.Items)
			merged.Items = append(merged.Items, canary)
		}
	}
	slices.SortFunc(merged.Items, func(a, b Canary) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return merged
}

// MergeCanary makes one answer of those of replicas that share the members. There has to be one.
func MergeCanary(answers []OneCanary) OneCanary {
	merged := answers[0]
	for i, answer := range answers[1:] {
		merged.Teller = mergedTeller(merged.Teller, answer.Teller, i+1)
		merged.Canary = mergeCanary(merged.Canary, answer.Canary)
	}
	return merged
}

// mergeCanary adds up what two replicas know of one parent.
func mergeCanary(a, b Canary) Canary {
	if b.Generation > a.Generation {
		a, b = b, a
	}
	copies := map[string]Copy{}
	for _, c := range a.Copies {
		copies[c.Agent] = c
	}
	for _, c := range b.Copies {
		if known, ok := copies[c.Agent]; !ok || known.Heard == nil && (c.Heard != nil || c.InSync || c.OutOfSync != nil) {
			copies[c.Agent] = c
		}
	}
	a.Copies = slices.SortedFunc(maps.Values(copies), func(a, b Copy) int { return strings.Compare(a.Agent, b.Agent) })
	if len(a.Copies) > 0 {
		a.Agents, a.InSync, a.OutOfSync, a.States = len(a.Copies), 0, 0, map[string]int{}
		for _, c := range a.Copies {
			a.States[c.State]++
			if c.InSync {
				a.InSync++
			} else if c.OutOfSync != nil {
				a.OutOfSync++
			}
		}
		return a
	}
	states := maps.Clone(a.States)
	if states == nil {
		states = map[string]int{}
	}
	for state, n := range b.States {
		states[state] += n
	}
	a.Agents, a.InSync, a.OutOfSync, a.States = a.Agents+b.Agents, a.InSync+b.InSync, a.OutOfSync+b.OutOfSync, states
	if b.LastCheck != nil && (a.LastCheck == nil || b.LastCheck.After(*a.LastCheck)) {
		a.LastCheck = b.LastCheck
	}
	return a
}

// mergedTeller is who tells what several do.
func mergedTeller(merged, next Teller, place int) Teller {
	if place == 0 {
		return next
	}
	if next.Time.After(merged.Time) {
		merged.Time = next.Time
	}
	merged.Replica = ""
	return merged
}
