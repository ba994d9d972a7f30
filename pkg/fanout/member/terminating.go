package member

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// terminatingGrace is how long a deleted copy may take to go before that is reported: canary-checker's own finalizer
	// needs a moment.
	terminatingGrace = 10 * time.Second
	// ownerPeriod is how often the owner of a member is told of copies that no parent asks for and that do not go.
	ownerPeriod = 10 * time.Minute
)

// TerminatingError says that a copy was deleted and is still there.
type TerminatingError struct {
	// Key is the copy's place in the member.
	Key types.NamespacedName
	// Finalizers are what holds it.
	Finalizers []string
}

func (e *TerminatingError) Error() string {
	return fmt.Sprintf("Canary %s was deleted in the member, where it is held by its finalizers (%s); fanout waits for it to go. Whoever set them removes them; see them with: kubectl get canary -n %s %s -o jsonpath={.metadata.finalizers}",
		e.Key, strings.Join(e.Finalizers, ", "), e.Key.Namespace, e.Key.Name)
}

// await does nothing about a copy that is being deleted, as long as that takes, but reports one that takes long. The
// parent is the one that asks for another copy in its place, or does not ask for one any more.
func (m *Member) await(ctx context.Context, key types.NamespacedName, parent Parent) error {
	now := m.options.Clock.Now()
	since := now
	m.view.at(key, func(p *place) {
		if known := p.remark().awaited; !known.IsZero() {
			since = known
		}
		p.noted().awaited = since
	})
	if left := since.Add(terminatingGrace).Sub(now); left > 0 {
		m.queue.addAfter(key, left)
		return nil
	}
	live, err := m.read(ctx, key)
	switch {
	case apierrors.IsNotFound(err):
		return nil // the watch tells of it
	case err != nil:
		return classify(err)
	case live.GetDeletionTimestamp() == nil:
		return nil // another one by now, of which the watch tells, too
	}
	held := &TerminatingError{Key: key, Finalizers: live.GetFinalizers()}
	if parent == NoParent {
		m.warnOwnerOf(held, now)
	}
	return &laterError{err: held}
}

// warnOwnerOf tells the owner of the member, who is the only one left to be told, and not of each copy.
func (m *Member) warnOwnerOf(held *TerminatingError, now time.Time) {
	m.mu.Lock()
	due := m.ownerTold.IsZero() || now.Sub(m.ownerTold) >= ownerPeriod
	if due {
		m.ownerTold = now
	}
	m.mu.Unlock()
	if !due || m.warnOwner == nil {
		return
	}
	message := held.Error()
	if others := len(m.view.awaited()) - 1; others > 0 {
		message = fmt.Sprintf("%d other Canaries are being deleted as well. %s", others, message)
	}
	m.warnOwner(reasonTerminating, message)
}

// gone notes that nothing at key is being deleted, or not any more.
func (m *Member) gone(key types.NamespacedName) {
	m.view.at(key, func(p *place) {
		if p.remarks != nil {
			p.remarks.awaited = time.Time{}
		}
	})
}
