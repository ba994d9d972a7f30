package results

import (
	"fmt"
	"slices"
	"strings"
)

// Event is what is worth an Event on the parent.
type Event struct {
	Warning         bool
	Reason, Message string
}

// The reasons of Events.
const (
	ReasonInSync    = "InSync"
	ReasonFailing   = "Failing"
	ReasonRecovered = "Recovered"
)

// Bounds of an Event.
const (
	maxNamed = 5 // agents
	maxEvent = 1000
)

// Events returns what there is to tell when the status goes from before to a: agents that begin to fail, that none fails any more,
// that all are in sync. There are seldom any.
func (a *Aggregated) Events(before Shown) []Event {
	now := &a.Shown
	message, _ := a.Status["message"].(string)
	var events []Event
	if now.Agents > 0 && now.InSync == now.Agents && isNews(now, &before) {
		events = append(events, Event{Reason: ReasonInSync, Message: inSync(now)})
	}
	switch failing := newlyFailing(now, &before); {
	case len(failing) > 0:
		events = append(events, Event{Warning: true, Reason: ReasonFailing, Message: a.describe(failing, message)})
	case len(before.Failing) > 0 && len(now.Failing) == 0:
		events = append(events, Event{Reason: ReasonRecovered, Message: "no agent fails any more: " + message})
	}
	return events
}

// isNews tells whether that all are in sync was not so before, or not for what the parent asks for now.
func isNews(now, before *Shown) bool {
	return before.Agents == 0 || before.Out > 0 || before.Generation != 0 && before.Generation != now.Generation
}

func inSync(now *Shown) string {
	return fmt.Sprintf("generation %d is in sync in all of its agents: %d", now.Generation, now.Agents)
}

// newlyFailing returns the agents that fail now and did not before. When more failed before than were kept, that can't be told.
func newlyFailing(now, before *Shown) []string {
	if before.MoreFailing {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(now.Failing), func(name string) bool {
		_, known := slices.BinarySearch(before.Failing, name)
		return known
	})
}

// describe names agents with their errors.
func (a *Aggregated) describe(failing []string, message string) string {
	entries, _ := a.Status["checkStatus"].(map[string]any)
	var named []string
	for _, name := range failing[:min(len(failing), maxNamed)] {
		entry, _ := entries[name].(map[string]any)
		named = append(named, join(name, scalar(entry["errorMessage"])))
	}
	text := strings.Join(named, "; ")
	if more := len(failing) - len(named); more > 0 {
		text += fmt.Sprintf(" (%d more)", more)
	}
	return clip(text+". In all, "+message, maxEvent)
}
