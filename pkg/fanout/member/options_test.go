package member

import (
	"testing"
	"time"
)

func TestBackoffDoublesWithJitterUpToAMinute(t *testing.T) {
	b := newBackoff()
	base := retryBaseDelay
	for range 20 {
		if delay := b.When(at("a")); delay < base/2 || delay > base*3/2 {
			t.Fatalf("the delay is %s, want about %s", delay, base)
		}
		base = min(2*base, retryMaxDelay)
	}
	if delay := b.When(at("b")); delay > 2*retryBaseDelay {
		t.Errorf("another Canary waits %s", delay)
	}
	b.Forget(at("a"))
	if delay := b.When(at("a")); delay > 2*retryBaseDelay {
		t.Errorf("after a success the delay is %s", delay)
	}
}

func TestBackoffKeepsApartWhatFailedTogether(t *testing.T) {
	delays := map[time.Duration]bool{}
	b := newBackoff()
	for range 20 {
		delays[b.When(at("a"))] = true
		b.Forget(at("a"))
	}
	if len(delays) < 2 {
		t.Error("twenty delays are one")
	}
}
