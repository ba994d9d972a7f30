package member

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

// queue holds the places of one member that wait for a look: each once, and none with two workers at a time. What somebody did
// goes before what is looked at for safety's sake. Unlike client-go's queue it costs an idle member no goroutine: a
// worker is one that ends when nothing is left, and a delay is a timer.
type queue struct {
	work    func(types.NamespacedName) // done by the workers, once it is open
	workers int                        // at most
	clock   clock.WithDelayedExecution

	mu      sync.Mutex
	items   map[types.NamespacedName]*item // those of which there is something to know
	lanes   [2][]*item
	waiting int
	taken   int // for the lanes' turns
	running int
	state   queueState
	idle    sync.WaitGroup // workers
}

type queueState int

const (
	queueClosed queueState = iota // nothing is worked on yet
	queueOpen
	queueShut
)

// lane is how soon a place is looked at.
type lane int

const (
	// prompt is for what somebody did: a parent's edit, a change in the member.
	prompt lane = iota
	// patient is for what is looked at anyway: the first fill, a resync, what a fresh list brings.
	patient
)

// patientTurn is how often a patient place comes before the prompt ones, so that it is not put off for ever.
const patientTurn = 8

type item struct {
	key      types.NamespacedName
	lane     lane
	waits    bool // in its lane
	working  bool
	again    bool // it came once more while it was worked on
	failures int
	timer    clock.Timer
	due      time.Time // of the timer
}

func newQueue(workers int, clock clock.WithDelayedExecution) *queue {
	return &queue{workers: workers, clock: clock, items: map[types.NamespacedName]*item{}}
}

// open lets the workers begin.
func (q *queue) open() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.state == queueClosed {
		q.state = queueOpen
		q.employ()
	}
}

// shut lets nothing more begin.
func (q *queue) shut() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.state = queueShut
	for _, it := range q.items {
		it.stopTimer()
	}
}

// wait returns when no worker is left of a queue that is shut.
func (q *queue) wait() { q.idle.Wait() }

// len returns how many places wait.
func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// add has key looked at.
func (q *queue) add(key types.NamespacedName, how lane) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.put(q.item(key), how)
}

// addAfter has key looked at in a while, unless it is looked at sooner.
func (q *queue) addAfter(key types.NamespacedName, delay time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.delay(q.item(key), delay)
}

// fail has key looked at again after the delay that so many failures call for.
func (q *queue) fail(key types.NamespacedName) {
	q.mu.Lock()
	defer q.mu.Unlock()
	it := q.item(key)
	q.delay(it, backoff(it.failures))
	it.failures++
}

// forget says that key did not fail.
func (q *queue) forget(key types.NamespacedName) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if it := q.items[key]; it != nil {
		it.failures = 0
		q.drop(it)
	}
}

func (q *queue) item(key types.NamespacedName) *item {
	it := q.items[key]
	if it == nil {
		it = &item{key: key}
		q.items[key] = it
	}
	return it
}

// drop forgets an item of which there is nothing to know.
func (q *queue) drop(it *item) {
	if !it.waits && !it.working && !it.again && it.failures == 0 && it.timer == nil {
		delete(q.items, it.key)
		if len(q.items) == 0 {
			q.items = map[types.NamespacedName]*item{} // a map keeps the room that it once took
		}
	}
}

func (q *queue) put(it *item, how lane) {
	switch {
	case q.state == queueShut:
		return
	case it.waits && it.lane <= how, it.again && it.lane <= how:
		return
	case it.working:
		it.again, it.lane = true, how
		return
	case !it.waits:
		q.waiting++
	}
	it.waits, it.lane = true, how
	q.lanes[how] = append(q.lanes[how], it)
	q.employ()
}

func (q *queue) delay(it *item, delay time.Duration) {
	due := q.clock.Now().Add(delay)
	if q.state == queueShut || it.timer != nil && !due.Before(it.due) {
		return
	}
	it.stopTimer()
	it.due = due
	var timer clock.Timer
	timer = q.clock.AfterFunc(delay, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if it.timer == timer {
			it.timer = nil
			q.put(it, it.lane)
		}
	})
	it.timer = timer
}

func (it *item) stopTimer() {
	if it.timer != nil {
		it.timer.Stop()
		it.timer = nil
	}
}

// employ starts a worker where there is work for one more.
func (q *queue) employ() {
	if q.state == queueOpen && q.waiting > 0 && q.running < q.workers {
		q.running++
		q.idle.Go(q.labour)
	}
}

// labour works until nothing waits.
func (q *queue) labour() {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer func() { q.running-- }()
	for q.state == queueOpen {
		it := q.next()
		if it == nil {
			return
		}
		q.employ()
		it.waits, it.working = false, true
		q.mu.Unlock()
		q.work(it.key)
		q.mu.Lock()
		it.working = false
		if it.again {
			it.again = false
			q.put(it, it.lane)
		}
		q.drop(it)
	}
}

// next takes the place whose turn it is, nil where there is none.
func (q *queue) next() *item {
	order := [...]lane{prompt, patient}
	if q.taken++; q.taken%patientTurn == 0 {
		order = [...]lane{patient, prompt}
	}
	for _, lane := range order {
		for len(q.lanes[lane]) > 0 {
			it := q.lanes[lane][0]
			q.lanes[lane][0] = nil
			q.lanes[lane] = q.lanes[lane][1:]
			if it.waits && it.lane == lane {
				q.waiting--
				return it
			}
		}
		q.lanes[lane] = nil
	}
	return nil
}
