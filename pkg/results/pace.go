package results

import "time"

// How often a parent's status is written. A transition has to show within a second of fanout's hearing of it: Settle, the pause
// since the last write, and the write itself fit into that.
const (
	// Settle is how long whoever hears of a transition waits before it aggregates, for what comes with it.
	Settle = 100 * time.Millisecond
	// TransitionPause is the least time from one write to the next.
	TransitionPause = 700 * time.Millisecond
	// UpdatePause is that where only times, latencies, uptimes and texts have changed.
	UpdatePause = 10 * time.Second
)

// Written is what is known of a parent's status in the hub.
type Written struct {
	// Shown is what it says, as far as is known: what the hub answered to the last write, until its watch brings a later version.
	Shown Shown
	// At is when this process wrote it last; zero where it did not.
	At time.Time
	// Applied is what was written last, and Left what the hub answered to that: others may have added to it, and writing
	// the same again would not take that away.
	Applied, Left Digest
	// Patience is until when to wait for agents of which nothing is known yet.
	Patience time.Time
}

// Due says when next is to be written; ok is false where it need not be. It is due at once where at is not after now.
func (w *Written) Due(next *Aggregated, now time.Time) (at time.Time, ok bool) {
	switch {
	case next.Shown.Whole == w.Shown.Whole,
		next.Shown.Whole == w.Applied && w.Shown.Whole == w.Left:
		return time.Time{}, false
	case next.Unknown > 0 && now.Before(w.Patience):
		return w.Patience, true
	case next.Shown.Shape != w.Shown.Shape:
		return w.At.Add(TransitionPause), true
	default:
		return w.At.Add(UpdatePause), true
	}
}

// Wrote notes that next was written at that time, and what the hub answered then, as ReadShown reads it.
func (w *Written) Wrote(next *Aggregated, answer Shown, now time.Time) {
	w.Shown, w.Applied, w.Left, w.At = answer, next.Shown.Whole, answer.Whole, now
	w.Shown.Generation = next.Shown.Generation
}
