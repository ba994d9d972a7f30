package fanout

import (
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"
)

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestChangesAreToldTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &changes{clock: clock.RealClock{}}
		c.tell() // nobody waits
		first := c.wait()
		pass(time.Hour)
		if isClosed(first) {
			t.Fatal("told of a change before anybody waited")
		}
		wakes := 0
		for range 1000 { // a second of a storm
			c.tell()
			if isClosed(first) {
				wakes++
				first = c.wait()
			}
			pass(time.Millisecond)
		}
		if wakes < 8 || wakes > 10 {
			t.Errorf("woken %d times in a second", wakes)
		}
	})
}

// Whoever waits before it looks misses nothing.
func TestNoChangeIsMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &changes{clock: clock.RealClock{}}
		waiting := c.wait()
		c.tell()
		pass(changesPause / 2)
		late := c.wait() // and looks; then comes another
		c.tell()
		pass(changesPause)
		if !isClosed(waiting) || !isClosed(late) {
			t.Error("a change was not told")
		}
	})
}

func TestNobodyWaitsForAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &changes{clock: clock.RealClock{}}
		before := c.wait()
		c.end()
		after := c.wait()
		if !isClosed(before) || isClosed(after) {
			t.Error("who waits at the end is not woken, or who comes later at once")
		}
		pass(changesPause)
		if !isClosed(after) {
			t.Error("who waits after the end is never woken")
		}
	})
}

func BenchmarkChangeThatNobodyWaitsFor(b *testing.B) {
	c := &changes{clock: clock.RealClock{}}
	for b.Loop() {
		c.tell()
	}
}
