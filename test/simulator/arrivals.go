package simulator

import (
	"bytes"
)

// expect begins to wait for a number of writes of Canaries whose spec or labels hold text.
func (a *arrivals) expect(text string, count int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == nil {
		a.waiting = map[string]*awaited{}
	}
	a.waiting[text] = &awaited{left: count, done: make(chan struct{})}
	a.active.Store(int32(len(a.waiting)))
}

// of returns what is waited for by that text, or nil.
func (a *arrivals) of(text string) *awaited {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waiting[text]
}

// forget ends the wait, and returns what came.
func (a *arrivals) forget(text string) []Arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	came := a.waiting[text].times
	delete(a.waiting, text)
	a.active.Store(int32(len(a.waiting)))
	return came
}

// note tells of a change, unless it is one of the status only.
func (a *arrivals) note(member int, e event) {
	if a.active.Load() == 0 || e.after == nil {
		return
	}
	if e.before != nil && bytes.Equal(e.before.spec, e.after.spec) && e.before.labels == e.after.labels {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for text, w := range a.waiting {
		if !bytes.Contains(e.after.spec, []byte(text)) && !bytes.Contains(e.after.labels.json, []byte(text)) {
			continue
		}
		w.times = append(w.times, Arrival{Member: member, Time: e.at})
		if w.left--; w.left == 0 {
			close(w.done)
		}
	}
}
