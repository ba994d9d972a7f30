package pods

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanout/pkg/api"
	"fanout/pkg/results"
)

// What replicas tell that share the members adds up: each knows of its own, and of no other's.

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
	at := map[[2]string]int{}
	for i, canary := range merged.Items {
		at[[2]string{canary.Namespace, canary.Name}] = i
	}
	for _, answer := range answers[1:] {
		merged.Teller = mergedTeller(merged.Teller, answer.Teller)
		for _, canary := range answer.Items {
			key := [2]string{canary.Namespace, canary.Name}
			if i, ok := at[key]; ok {
				merged.Items[i] = mergeCanary(merged.Items[i], canary)
				continue
			}
			at[key] = len(merged.Items)
			merged.Items = append(merged.Items, canary)
		}
	}
	slices.SortFunc(merged.Items, func(a, b api.Canary) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return merged
}

func mergeOne(answers []api.OneCanary) api.OneCanary {
	merged := answers[0]
	for _, answer := range answers[1:] {
		merged.Teller = mergedTeller(merged.Teller, answer.Teller)
		merged.Canary = mergeCanary(merged.Canary, answer.Canary)
	}
	return merged
}

// mergeCanary adds up what two replicas know of one parent.
func mergeCanary(a, b api.Canary) api.Canary {
	if b.Generation > a.Generation {
		a, b = b, a
	}
	states := map[string]int{}
	for _, of := range []map[string]int{a.States, b.States} {
		for state, n := range of {
			states[state] += n
		}
	}
	a.States, a.Agents, a.InSync, a.OutOfSync = states, a.Agents+b.Agents, a.InSync+b.InSync, a.OutOfSync+b.OutOfSync
	if a.Fault == "" && a.Agents > 0 {
		a.State, a.Message = summed(&a)
	}
	a.LastCheck, a.LastTransition = latest(a.LastCheck, b.LastCheck), latest(a.LastTransition, b.LastTransition)
	a.Uptime, a.Latency = addUptime(a.Uptime, b.Uptime), slower(a.Latency, b.Latency)
	a.Copies = slices.SortedFunc(slices.Values(slices.Concat(a.Copies, b.Copies)), func(a, b api.Copy) int { return strings.Compare(a.Agent, b.Agent) })
	return a
}

// summed is the worst state, and all of them in words.
func summed(c *api.Canary) (state, message string) {
	var counts []string
	for _, s := range results.Worst {
		if n := c.States[s.String()]; n > 0 {
			state = cmp.Or(state, s.String())
			counts = append(counts, fmt.Sprintf("%d %s", n, strings.ToLower(s.String())))
		}
	}
	return state, fmt.Sprintf("%d agents: %s; %d in sync", c.Agents, strings.Join(counts, ", "), c.InSync)
}

func latest(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}

// addUptime adds up what canary-checker's words say, such as 11/12 (91.7%).
func addUptime(a, b string) string {
	var passed, runs [2]int
	for i, text := range []string{a, b} {
		_, _ = fmt.Sscanf(text, "%d/%d", &passed[i], &runs[i]) // 0 of 0 where it says nothing
	}
	if runs[0]+runs[1] == 0 {
		return ""
	}
	sum, of := passed[0]+passed[1], runs[0]+runs[1]
	return fmt.Sprintf("%d/%d (%.1f%%)", sum, of, 100*float64(sum)/float64(of))
}

func slower(a, b string) string {
	first, _ := time.ParseDuration(a)
	if second, err := time.ParseDuration(b); err == nil && second > first {
		return b
	}
	return a
}

// mergedTeller is who tells what several do.
func mergedTeller(a, b api.Teller) api.Teller {
	if b.Time.After(a.Time) {
		a.Time = b.Time
	}
	a.Replica = ""
	return a
}
