package fanout

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/api"
	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/results"
	"fanout/pkg/selector"
)

// Bounds of what is repeated of a Canary that may be anybody's.
const (
	maxFault    = 1000
	maxSchedule = 100
	maxHolding  = 20 // finalizers
)

// tell returns p without its copies, by that summary.
func (p *parent) tell(summary *results.Summary) api.Canary {
	canary := api.Canary{
		Namespace: p.GetNamespace(), Name: p.GetName(), Generation: p.GetGeneration(), Selector: []string{},
		State: summary.State.String(), Message: summary.Message,
		LastCheck: summary.LastCheck.Optional(), LastTransition: summary.Transitioned.Optional(),
		Uptime: summary.Uptime, Latency: summary.Latency,
		Agents: summary.Agents, States: map[string]int{}, InSync: summary.InSync, OutOfSync: summary.Out,
	}
	for state, n := range summary.States {
		if n > 0 {
			canary.States[results.State(state).String()] = n
		}
	}
	if p.invalid != nil {
		canary.Fault = results.Clip(p.invalid.Error(), maxFault)
	}
	if p.canary == nil {
		return canary
	}
	patterns, _ := agentSelector(p.canary)
	for _, pattern := range patterns[:min(len(patterns), selector.MaxPatterns)] {
		canary.Selector = append(canary.Selector, results.Clip(pattern, selector.MaxPatternBytes))
	}
	canary.Schedule = results.Clip(results.ScheduleOf(p.canary.Object), maxSchedule)
	return canary
}

// tellCopy returns the copy that l is of, but for its place.
func tellCopy(l *results.Line) api.Copy {
	made := api.Copy{
		Agent: l.Name, State: l.State.String(), Text: l.Text, Error: l.Error,
		InSync: l.InSync, OutOfSync: tellCondition(l.Out), Away: tellCondition(l.Away),
		LastCheck: l.LastCheck.Optional(), LastTransition: l.Transitioned.Optional(), Heard: l.Heard.Optional(),
		Uptime: l.Uptime, Latency: l.Latency,
	}
	if l.Before != results.Pending {
		made.Before = l.Before.String()
	}
	if l.Runs > 0 {
		made.Passed, made.Runs = &l.Passed, &l.Runs
	}
	if l.Timed {
		made.LatencyMillis = &l.LatencyMillis
	}
	return made
}

func tellCondition(c results.Condition) *api.Condition {
	if c.Reason == "" {
		return nil
	}
	return &api.Condition{Reason: c.Reason, Detail: c.Detail, Since: c.Since.Optional()}
}

// tellEvents returns what was put on a Secret, nil being none.
func tellEvents(events *clusters.Events) (told []api.Event) {
	if events == nil {
		return nil
	}
	for _, event := range events.Last() {
		told = append(told, api.Event{Time: event.Time.UTC(), Warning: event.Warning, Reason: event.Reason, Message: results.Clip(event.Message, maxEventMessage)})
	}
	return told
}

// tellFound returns what was found in a member, nil being nothing. What is another's is that one's own business.
func (c *Controller) tellFound(found *unstructured.Unstructured) api.Found {
	if found == nil {
		return api.Found{}
	}
	told := api.Found{
		Exists: true, Owner: results.Clip(found.GetLabels()[derive.LabelHub], maxNamed), Terminating: found.GetDeletionTimestamp() != nil,
	}
	if told.Terminating {
		finalizers := found.GetFinalizers()
		for _, finalizer := range finalizers[:min(len(finalizers), maxHolding)] {
			told.Finalizers = append(told.Finalizers, results.Clip(finalizer, maxNamed))
		}
	}
	if told.Owner == c.options.HubID {
		found.SetManagedFields(nil)
		delete(found.Object, "status")
		told.Canary = found.Object
	}
	return told
}
