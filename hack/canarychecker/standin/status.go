package standin

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/client-go/tools/cache"
)

// window is how far back uptime and latency look.
const window = time.Hour

// history is how one check fared.
type history struct {
	passed bool // in its last run
	runs   []run
}

type run struct {
	at     time.Time
	passed bool
	took   time.Duration
}

// note adds a run, and returns whether the check fares otherwise than in the run before.
func (h *history) note(r run) (transitioned bool) {
	transitioned = len(h.runs) == 0 || h.passed != r.passed
	for len(h.runs) > 0 && r.at.Sub(h.runs[0].at) > window {
		h.runs = h.runs[1:]
	}
	h.runs, h.passed = append(h.runs, r), r.passed
	return transitioned
}

func (h *history) count() (passed, failed int) {
	for _, r := range h.runs {
		if r.passed {
			passed++
		} else {
			failed++
		}
	}
	return passed, failed
}

func (h *history) latency() time.Duration {
	var sum time.Duration
	for _, r := range h.runs {
		sum += r.took
	}
	return sum / time.Duration(max(1, len(h.runs)))
}

// uptime is how canary-checker writes one.
func uptime(passed, failed int) string {
	switch {
	case passed+failed == 0:
		return ""
	case passed == 0:
		return fmt.Sprintf("0/%d 0%%", failed)
	default:
		return fmt.Sprintf("%d/%d (%.1f%%)", passed, passed+failed, 100*float64(passed)/float64(passed+failed))
	}
}

// age is how canary-checker writes a latency.
func age(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	return duration.HumanDuration(d)
}

// report writes what one run of a Canary found, by one write of its status.
func (c *checker) report(ctx context.Context, key cache.ObjectName, j *job, results []result) error {
	canary := c.store.get(key)
	if canary == nil {
		return nil
	}
	now := time.Now()
	c.mu.Lock()
	change := j.statusOf(results, now)
	c.mu.Unlock()
	return c.patchStatus(ctx, canary, change)
}

// statusOf notes the results of a run, and returns the change that it makes to the status. The status is that of the check
// that ended last, as canary-checker has it.
func (j *job) statusOf(results []result, now time.Time) func(status map[string]any) {
	stamp := metav1.NewTime(now).UTC().Format(time.RFC3339)
	checkStatus := map[string]any{}
	var failures []string
	var passed, failed int
	var slowest time.Duration
	outcome, transitioned := "", false
	for _, r := range results {
		h := j.checks[r.id]
		if h == nil {
			h = &history{}
			j.checks[r.id] = h
		}
		status := map[string]any{}
		if h.note(run{now, r.passed, r.took}) {
			status["lastTransitionedTime"] = stamp
			transitioned = true
		}
		p, f := h.count()
		status["uptime1h"] = uptime(p, f)
		checkStatus[r.id] = status
		passed, failed, slowest = passed+p, failed+f, max(slowest, h.latency())
		if outcome = "Passed"; !r.passed {
			outcome = "Failed"
			failures = append(failures, r.err)
		}
	}
	return func(status map[string]any) {
		status["status"] = outcome
		status["lastCheck"] = stamp
		status["checkStatus"] = checkStatus
		status["uptime1h"] = uptime(passed, failed)
		status["latency1h"] = age(slowest)
		if transitioned {
			status["lastTransitionedTime"] = stamp
		}
		delete(status, "message") // no check of these has a text to display
		switch len(failures) {
		case 0:
			delete(status, "errorMessage")
		case 1:
			status["errorMessage"] = failures[0]
		default:
			status["errorMessage"] = fmt.Sprintf("%s, (%d more)", failures[0], len(failures)-1)
		}
	}
}
