package results

import "time"

// How often a parent's status is written. A transition has to show within a second of fanout's hearing of it: Settle, the pause
// since the last write, and the write itself fit into that. A status of many agents costs the hub too much for that where one
// transition follows another: 0.3 ms of CPU for each agent, and 400 bytes in etcd, whenever it is written.
const (
	// Settle is how long whoever hears of a transition waits before it aggregates, for what comes with it.
	Settle = 100 * time.Millisecond
	// TransitionPause is the least time from one write to the next.
	TransitionPause = 700 * time.Millisecond
	// transitionPausePerAgent is how much of it passes for each agent from one to the next where many follow each other: the second is not
	// kept waiting, since an edit's arrival at all agents takes two.
	transitionPausePerAgent = 10 * time.Millisecond
	// UpdatePause is the least where only times, latencies, uptimes and texts have changed.
	UpdatePause = 10 * time.Second
	// updatePausePerAgent has that of a status of many agents wait longer.
	updatePausePerAgent = 100 * time.Millisecond
)

// UpdatePauseOf is that of a status of so many agents.
func UpdatePauseOf(agents int) time.Duration {
	return max(UpdatePause, time.Duration(agents)*updatePausePerAgent)
}

// Written is what is known of a parent's status in the hub.
type Written struct {
	// Shown is what it says, as far as is known: what the hub answered to the last write, until its watch brings a later version.
	Shown Shown
	// At is when this process wrote it last; zero where it did not.
	At time.Time
	// Patience is until when to wait for agents of which nothing is known yet.
	Patience time.Time

	// paid is until when the writes so far have taken up the time: one more may come a share before that.
	paid time.Time
	// What was written last, and what the hub said then. Others may have added to it, and writing again would not take that away.
	whole, shape, answer Digest
}

// Due says when next is to be written; ok is false where it need not be. It is due at once where at is not after now.
func (w *Written) Due(next *Aggregated, now time.Time) (at time.Time, ok bool) {
	whole, shape := w.Shown.Whole, w.Shown.Shape
	if whole == w.answer {
		whole, shape = w.whole, w.shape
	}
	switch {
	case next.Shown.Whole == whole:
		return time.Time{}, false
	case next.Unknown > 0 && now.Before(w.Patience):
		return w.Patience, true
	case next.Shown.Shape != shape:
		return w.nextTransition(), true
	default:
		return w.At.Add(UpdatePauseOf(next.Shown.Agents)), true
	}
}

// nextTransition is when a transition may be written.
func (w *Written) nextTransition() time.Time {
	at, allowed := w.At.Add(TransitionPause), w.paid.Add(-w.share())
	if allowed.After(at) {
		return allowed
	}
	return at
}

// share is how much time a write takes up.
func (w *Written) share() time.Duration {
	return time.Duration(w.Shown.Agents) * transitionPausePerAgent
}

// Wrote notes that next was written at that time, and what the hub answered then, as ReadShown reads it.
func (w *Written) Wrote(next *Aggregated, answer Shown, now time.Time) {
	w.Shown, w.At = answer, now
	w.Shown.Generation = next.Shown.Generation
	if now.After(w.paid) {
		w.paid = now
	}
	w.paid = w.paid.Add(w.share())
	w.whole, w.shape, w.answer = next.Shown.Whole, next.Shown.Shape, answer.Whole
}
