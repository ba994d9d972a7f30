package page

import (
	"maps"
	"slices"

	"fanout/pkg/api"
	"fanout/pkg/results"
)

// Bounds of what is shown of a text, in bytes.
const (
	maxName   = 253
	maxEntry  = 512
	maxText   = 1000
	maxWord   = 64
	maxLabels = 50
	maxNoted  = 100 // entries of a selector, patterns of namespaces
	maxEvents = 5
)

// cleanAgent returns a with nothing in it that does harm where it is shown.
func cleanAgent(a api.Agent) api.Agent {
	a.Name, a.Secret, a.State = results.Clip(a.Name, maxName), results.Clip(a.Secret, maxName), results.Clip(a.State, maxWord)
	a.Detail, a.ServerVersion = results.Clip(a.Detail, maxText), results.Clip(a.ServerVersion, maxWord)
	a.Namespaces = cleanList(a.Namespaces, maxEntry)
	labels := make(map[string]string, len(a.Labels))
	for _, key := range slices.Sorted(maps.Keys(a.Labels))[:min(len(a.Labels), maxLabels)] {
		labels[results.Clip(key, maxName)] = results.Clip(a.Labels[key], maxName)
	}
	a.Labels = labels
	a.Events = slices.Clone(a.Events[:min(len(a.Events), maxEvents)])
	for i := range a.Events {
		e := &a.Events[i]
		e.Reason, e.Message = results.Clip(e.Reason, maxWord), results.Clip(e.Message, maxText)
	}
	return a
}

// cleanCanary returns c so, without its copies.
func cleanCanary(c api.Canary) api.Canary {
	c.Namespace, c.Name, c.State = results.Clip(c.Namespace, maxName), results.Clip(c.Name, maxName), results.Clip(c.State, maxWord)
	c.Fault, c.Message, c.Schedule = results.Clip(c.Fault, maxText), results.Clip(c.Message, maxText), results.Clip(c.Schedule, maxName)
	c.Uptime, c.Latency = results.Clip(c.Uptime, maxWord), results.Clip(c.Latency, maxWord)
	c.Selector = cleanList(c.Selector, maxEntry)
	c.Copies = nil
	return c
}

// cleanCopy returns c so.
func cleanCopy(c api.Copy) api.Copy {
	c.Agent, c.Namespace, c.Name = results.Clip(c.Agent, maxName), results.Clip(c.Namespace, maxName), results.Clip(c.Name, maxName)
	c.SelectedBy, c.State, c.Before = results.Clip(c.SelectedBy, maxEntry), results.Clip(c.State, maxWord), results.Clip(c.Before, maxWord)
	c.Text, c.Error = results.Clip(c.Text, maxText), results.Clip(c.Error, maxText)
	c.Uptime, c.Latency = results.Clip(c.Uptime, maxWord), results.Clip(c.Latency, maxWord)
	c.OutOfSync, c.Away = cleanCondition(c.OutOfSync), cleanCondition(c.Away)
	return c
}

func cleanCondition(c *api.Condition) *api.Condition {
	if c == nil {
		return nil
	}
	return &api.Condition{Reason: results.Clip(c.Reason, maxWord), Detail: results.Clip(c.Detail, maxText), Since: c.Since}
}

func cleanList(list []string, limit int) []string {
	cleaned := make([]string, 0, min(len(list), maxNoted))
	for _, text := range list[:min(len(list), maxNoted)] {
		cleaned = append(cleaned, results.Clip(text, limit))
	}
	return cleaned
}
