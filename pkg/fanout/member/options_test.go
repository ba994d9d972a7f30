package member

import (
	"testing"
	"time"
)

func TestBackoffDoublesWithJitterUpToAMinute(t *testing.T) {
	base := retryBaseDelay
	for failures := range 20 {
		if delay := backoff(failures); delay < base/2 || delay > base*3/2 {
			t.Fatalf("the delay is %s, want about %s", delay, base)
		}
		base = min(2*base, retryMaxDelay)
	}
	if delay := backoff(1_000_000); delay < retryMaxDelay/2 || delay > retryMaxDelay*3/2 {
		t.Errorf("after a million failures the delay is %s", delay)
	}
}

func TestBackoffKeepsApartWhatFailedTogether(t *testing.T) {
	delays := map[time.Duration]bool{}
	for range 20 {
		delays[backoff(0)] = true
	}
	if len(delays) < 2 {
		t.Error("twenty delays are one")
	}
}
