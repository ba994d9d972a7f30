package statuses

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/api"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/results"
	"fanout/pkg/selector"
)

// isParent tells whether a Canary has an agentSelector, if only one that is not valid.
func isParent(object *unstructured.Unstructured) bool {
	field, found, err := unstructured.NestedFieldNoCopy(object.Object, "spec", "agentSelector")
	list, isList := field.([]any)
	return err == nil && found && field != nil && (!isList || len(list) > 0)
}

// maxText bounds what is told of a text that may be anybody's.
const maxText = 1000

// read is a parent as its status tells of it. Labels are those of the agents of which they are known.
func read(object *unstructured.Unstructured, labels map[string]map[string]string) api.Canary {
	c := api.Canary{Namespace: object.GetNamespace(), Name: object.GetName(), Generation: object.GetGeneration()}
	schedule, _, _ := unstructured.NestedString(object.Object, "spec", "schedule")
	c.Schedule = results.Clip(schedule, maxText)
	entries := selectorOf(object, &c)

	status, _, _ := unstructured.NestedMap(object.Object, "status")
	shown := results.ReadShown(status)
	c.State, c.Agents, c.InSync, c.OutOfSync = shown.State.String(), shown.Agents, shown.InSync, shown.Out
	word := func(field string) string { text, _ := status[field].(string); return results.Clip(text, maxText) }
	c.Message, c.Uptime, c.Latency = word("message"), word("uptime1h"), word("latency1h")
	c.LastCheck, c.LastTransition = instant(word("lastCheck")), instant(word("lastTransitionedTime"))

	told := results.ReadEntries(status)
	c.States = map[string]int{}
	for _, agent := range slices.Sorted(maps.Keys(told)) {
		one := copyOf(&c, agent, told[agent])
		if known, ok := labels[agent]; entries != nil && (ok || agent == selector.Local) {
			one.SelectedBy = entries.Explain(agent, known).SelectedBy
		}
		c.Copies = append(c.Copies, one)
	}
	for _, state := range results.Worst {
		if n := state.CountIn(c.Message); n > 0 {
			c.States[state.String()] = n
		}
	}
	return c
}

// selectorOf reads the agentSelector into c, and returns nil where it is not valid.
func selectorOf(object *unstructured.Unstructured, c *api.Canary) *selector.Explainer {
	var err error
	if c.Selector, _, err = unstructured.NestedStringSlice(object.Object, "spec", "agentSelector"); err != nil {
		c.Fault = "spec.agentSelector: not a list of patterns"
		return nil
	}
	entries, err := selector.NewExplainer(c.Selector)
	if err != nil {
		c.Fault = results.Clip(err.Error(), maxText)
		return nil
	}
	return entries
}

// copyOf is what a parent's status says of one agent.
func copyOf(c *api.Canary, agent string, entry *results.Entry) api.Copy {
	t := entry.Told()
	place := derive.Place(types.NamespacedName{Namespace: c.Namespace, Name: c.Name}, agent)
	one := api.Copy{
		Agent: agent, Namespace: place.Namespace, Name: place.Name,
		State: t.State.String(), Text: t.Text, Error: t.Result.Error, InSync: t.InSync, Uptime: t.Uptime, Latency: t.Latency,
		LastCheck: t.Result.LastCheck.Optional(), LastTransition: t.Result.Transitioned.Optional(),
	}
	if t.Before != t.State && t.Before != results.Pending {
		one.Before = t.Before.String()
	}
	switch {
	case t.State == results.Unreachable:
		one.InSync, one.Away = false, &api.Condition{Reason: reasonOf(t.Text)}
	case t.Out != "":
		one.OutOfSync = &api.Condition{Reason: t.Out, Detail: t.Text}
	}
	if t.Result.Runs > 0 {
		one.Passed, one.Runs = &t.Result.Passed, &t.Result.Runs
	}
	if t.Result.Timed {
		one.LatencyMillis = &t.Result.Latency
	}
	return one
}

// reasonOf is why an agent is Unreachable, which is its text unless it is just that.
func reasonOf(text string) string {
	if text == "" {
		return results.Unreachable.String()
	}
	return text
}

func instant(text string) *time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil
	}
	return &at
}
