package member

import (
	"testing"
	"time"
)

func TestFights(t *testing.T) {
	type step struct {
		after time.Duration // since the step before
		write string        // this hash, or look only
		delay time.Duration // for hash "h", just after
	}
	for _, row := range []struct {
		name  string
		steps []step
	}{
		{"nothing was written", []step{{0, "", 0}}},
		{"written once: the first repair is at once", []step{{0, "h", 0}}},
		{"repaired once: the next waits a second", []step{{0, "h", 0}, {0, "h", time.Second}}},
		{"the delay runs off", []step{{0, "h", 0}, {0, "h", time.Second}, {600 * time.Millisecond, "", 400 * time.Millisecond}, {400 * time.Millisecond, "", 0}, {time.Hour, "", 0}}},
		{"it doubles up to five minutes", []step{
			{0, "h", 0},
			{0, "h", 1 * time.Second},
			{time.Second, "h", 2 * time.Second},
			{2 * time.Second, "h", 4 * time.Second},
			{4 * time.Second, "h", 8 * time.Second},
			{8 * time.Second, "h", 16 * time.Second},
			{16 * time.Second, "h", 32 * time.Second},
			{32 * time.Second, "h", 64 * time.Second},
			{64 * time.Second, "h", 128 * time.Second},
			{128 * time.Second, "h", 256 * time.Second},
			{256 * time.Second, "h", 5 * time.Minute},
			{5 * time.Minute, "h", 5 * time.Minute},
		}},
		{"new content is written at once", []step{{0, "h", 0}, {0, "h", time.Second}, {0, "other", 0}}},
		{"and starts over", []step{{0, "h", 0}, {0, "h", time.Second}, {0, "other", 0}, {0, "h", 0}, {0, "h", time.Second}}},
		{"ten minutes of peace end a fight", []step{{0, "h", 0}, {0, "h", time.Second}, {0, "h", 2 * time.Second}, {10 * time.Minute, "h", 0}, {0, "h", time.Second}}},
		{"a little less does not", []step{{0, "h", 0}, {0, "h", time.Second}, {10*time.Minute - 1, "h", 2 * time.Second}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			f, now := fight{}, time.Unix(1_800_000_000, 0)
			for i, step := range row.steps {
				now = now.Add(step.after)
				if step.write != "" {
					f.wrote(step.write, now)
				}
				if got := f.delay("h", now); got != step.delay {
					t.Errorf("step %d: the delay is %s, want %s", i, got, step.delay)
				}
			}
		})
	}
}

func TestALongFightHasABoundedDelay(t *testing.T) {
	f, now := fight{}, time.Unix(1_800_000_000, 0)
	for i := range 100 {
		if got := f.wrote("h", now); got != i {
			t.Fatalf("write %d counts as %d", i, got)
		}
		if got := f.delay("h", now); got < 0 || got > fightMaxDelay {
			t.Fatalf("after %d writes the delay is %s", i, got)
		}
	}
	if got := f.delay("h", now); got != fightMaxDelay {
		t.Errorf("after 100 writes the delay is %s", got)
	}
}

// A write that comes too late each time, because another writer is faster, is given up at the same pace.
func TestLostWritesAreAFight(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f := fight{}
	for i, want := range []time.Duration{0, 0, time.Second, 2 * time.Second} {
		f.lost("h", now)
		if got := f.delay("h", now); got != want {
			t.Errorf("after %d lost writes the delay is %s, want %s", i+1, got, want)
		}
	}
	other := fight{}
	other.lost("h", now)
	if got := other.wrote("h", now); got != 0 {
		t.Errorf("what was never written was written %d times before", got)
	}
}
