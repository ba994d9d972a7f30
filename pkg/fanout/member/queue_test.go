package member

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"pgregory.net/rapid"
)

// desk is a queue whose workers note what they work on and wait to be let go on.
type desk struct {
	*queue
	mu     sync.Mutex
	worked []string
	held   chan struct{} // a worker waits for it, where there is one
}

func aDesk(workers int) *desk {
	d := &desk{queue: newQueue(workers, clock.RealClock{})}
	d.work = func(key types.NamespacedName) {
		d.mu.Lock()
		d.worked = append(d.worked, key.Name)
		d.mu.Unlock()
		if d.held != nil {
			<-d.held
		}
	}
	return d
}

func (d *desk) did() []string {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	defer func() { d.worked = nil }()
	return d.worked
}

func (d *desk) end() {
	d.shut()
	d.wait()
}

func TestAQueueBeginsWhenItIsOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := aDesk(1)
		defer d.end()
		d.add(at("a"), prompt)
		d.add(at("a"), prompt)
		d.add(at("b"), patient)
		mustEqual(t, "closed, it did", d.did(), nil)
		mustEqual(t, "waiting", d.len(), 2)
		d.open()
		mustEqual(t, "opened, it did", d.did(), []string{"a", "b"})
		mustEqual(t, "remembered", len(d.items), 0)
	})
}

func TestWhatSomebodyDidGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := aDesk(1)
		defer d.end()
		for i := range 5 {
			d.add(at(fmt.Sprintf("patient-%d", i)), patient)
		}
		d.add(at("edit"), prompt)
		d.add(at("patient-3"), prompt) // it was edited as well
		d.open()
		mustEqual(t, "order", d.did(), []string{"edit", "patient-3", "patient-0", "patient-1", "patient-2", "patient-4"})
	})
}

func TestNothingIsPutOffForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := aDesk(1)
		d.held = make(chan struct{})
		defer d.end()
		defer close(d.held)
		d.open()
		d.add(at("patient"), patient)
		d.add(at("other"), patient)
		turns := 0
		for ; !slices.Contains(d.did(), "other"); turns++ {
			d.add(at(fmt.Sprintf("edit-%d", turns)), prompt)
			d.add(at(fmt.Sprintf("edit-again-%d", turns)), prompt)
			d.held <- struct{}{}
		}
		if turns > patientTurn+1 {
			t.Errorf("its turn came after %d others", turns)
		}
	})
}

// No place is worked on twice at a time, and what comes meanwhile is worked on after.
func TestAPlaceHasOneWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := aDesk(3)
		d.held = make(chan struct{})
		defer d.end()
		d.open()
		d.add(at("a"), prompt)
		mustEqual(t, "did", d.did(), []string{"a"})
		d.add(at("a"), prompt)
		d.add(at("a"), patient)
		d.add(at("b"), prompt)
		mustEqual(t, "meanwhile it did", d.did(), []string{"b"})
		mustEqual(t, "workers", d.running, 2)
		close(d.held)
		mustEqual(t, "after that", d.did(), []string{"a"})
		mustEqual(t, "workers of an idle queue", d.running, 0)
	})
}

func TestDelaysOfAQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := aDesk(1)
		defer d.end()
		d.open()
		d.addAfter(at("a"), time.Minute)
		d.addAfter(at("a"), time.Hour) // the sooner one counts
		pass(59 * time.Second)
		mustEqual(t, "before", d.did(), nil)
		pass(time.Second)
		mustEqual(t, "when due", d.did(), []string{"a"})
		d.addAfter(at("a"), time.Hour)
		d.addAfter(at("a"), time.Minute)
		pass(time.Minute)
		mustEqual(t, "the sooner one", d.did(), []string{"a"})
		pass(2 * time.Hour)
		mustEqual(t, "once", d.did(), nil)

		d.fail(at("b"))
		d.fail(at("b")) // while the first delay runs
		mustEqual(t, "failures", d.items[at("b")].failures, 2)
		pass(time.Minute)
		mustEqual(t, "tried again", d.did(), []string{"b"})
		d.forget(at("b"))
		mustEqual(t, "remembered", len(d.items), 0)
	})
}

func TestAShutQueueDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := aDesk(1)
		d.held = make(chan struct{})
		d.open()
		d.addAfter(at("later"), time.Second)
		d.add(at("a"), prompt)
		d.add(at("b"), prompt)
		mustEqual(t, "did", d.did(), []string{"a"})
		d.shut()
		d.add(at("c"), prompt)
		d.open()
		close(d.held)
		d.wait()
		pass(time.Hour)
		mustEqual(t, "after that", d.did(), nil)
	})
}

// Whatever comes in whatever order, each place is looked at after it came last, and no worker or item is left.
func TestAQueueLosesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ops := rapid.SliceOfN(rapid.IntRange(0, 29), 1, 60).Draw(r, "ops")
		workers := rapid.IntRange(1, 3).Draw(r, "workers")
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			came, seen, busy := map[string]int{}, map[string]int{}, map[string]bool{}
			q := newQueue(workers, clock.RealClock{})
			q.work = func(key types.NamespacedName) {
				mu.Lock()
				if busy[key.Name] {
					t.Errorf("%s has two workers", key.Name)
				}
				busy[key.Name] = true
				known := came[key.Name]
				mu.Unlock()
				time.Sleep(3 * time.Millisecond)
				mu.Lock()
				busy[key.Name], seen[key.Name] = false, known
				mu.Unlock()
				q.forget(key)
			}
			q.open()
			for _, op := range ops {
				key := at(fmt.Sprint(op % 5))
				mu.Lock()
				came[key.Name]++
				mu.Unlock()
				switch op / 5 {
				case 0, 1:
					q.add(key, prompt)
				case 2, 3:
					q.add(key, patient)
				case 4:
					q.fail(key)
				default:
					q.addAfter(key, 5*time.Millisecond)
				}
				time.Sleep(time.Millisecond)
			}
			pass(time.Hour)
			mustEqual(t, "seen", seen, came)
			mustEqual(t, "left", len(q.items)+q.running+q.waiting, 0)
			q.shut()
			q.wait()
		})
	})
}
