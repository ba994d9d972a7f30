package fanout

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/fanout/member"
)

// asked is the hub as one member sees it.
type asked struct {
	*Controller
	*agent
}

var _ member.Hub = asked{}

func (a asked) Synced() <-chan struct{} { return a.ready }

func (a asked) Demand(key types.NamespacedName) member.Demand {
	return a.parent(a.name, key).demand(a.name, a.labels())
}

func (a asked) ConfirmVanished(ctx context.Context, since, created time.Time) error {
	return a.guard.confirm(ctx, since, created)
}

// Warn puts an Event on the parent.
func (a asked) Warn(key types.NamespacedName, reason, message string) {
	if p := a.parent(a.name, key); p != nil {
		message = message[:min(len(message), maxEventMessage)]
		a.options.Recorder.Eventf(reference(p), corev1.EventTypeWarning, reason, "agent %q: %s", a.name, message)
	}
}

// Heard has the parent's status looked at.
func (a asked) Heard(key types.NamespacedName, transition bool) {
	if place, ok := derive.ParentOf(key, a.name); ok {
		if transition {
			a.statuses.stir(place, a.name)
		}
		a.statuses.look(place, transition)
	}
}

// HeardAll has those of all parents looked at that concern the member.
func (a asked) HeardAll() { a.heardFrom(a.agent) }

// maxEventMessage bounds what of a member's words goes into the hub.
const maxEventMessage = 1000

// nothingWanted is the hub as a member sees it that is being drained: its deregistration is all the evidence
// that pruning needs.
type nothingWanted struct{ asked }

func (nothingWanted) Synced() <-chan struct{} {
	always := make(chan struct{})
	close(always)
	return always
}

func (nothingWanted) Demand(types.NamespacedName) member.Demand { return member.Demand{} }

func (nothingWanted) Heard(types.NamespacedName, bool) {}

func (nothingWanted) HeardAll() {}

func (nothingWanted) ConfirmVanished(context.Context, time.Time, time.Time) error { return nil }
