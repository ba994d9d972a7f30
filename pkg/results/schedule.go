package results

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is when a Canary is run. The zero Schedule is never.
type Schedule struct {
	times cron.Schedule
	fault string
}

// ParseSchedule reads spec.schedule, or else spec.interval (in seconds), as canary-checker does. What does not parse is never run.
func ParseSchedule(schedule string, interval int64) Schedule {
	const never = "@never"
	switch {
	case schedule == never, schedule == "" && interval <= 0:
		return Schedule{}
	case schedule == "":
		const longest = int64(100 * 365 * 24 * time.Hour / time.Second)
		return Schedule{times: cron.Every(time.Duration(min(interval, longest)) * time.Second)}
	}
	times, err := parseCron(schedule)
	if err != nil {
		return Schedule{fault: clip(fmt.Sprintf("schedule %q: %v", clip(schedule, 60), err), maxTexts)}
	}
	return Schedule{times: times}
}

// parseCron is cron.ParseStandard for any text. That one panics where a time zone is all there is.
func parseCron(text string) (cron.Schedule, error) {
	const longest = 1000
	if len(text) > longest {
		return nil, fmt.Errorf("longer than %d bytes", longest)
	}
	if (strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ=")) && !strings.Contains(text, " ") {
		return nil, fmt.Errorf("a time zone, and no times")
	}
	times, err := cron.ParseStandard(text)
	if spec, ok := times.(*cron.SpecSchedule); ok {
		// A list without an element parses, and looking for a time that it allows takes a second.
		for _, field := range []uint64{spec.Minute, spec.Hour, spec.Dom, spec.Month, spec.Dow} {
			if field == 0 {
				return nil, fmt.Errorf("a field of it is empty")
			}
		}
	}
	return times, err
}

// A copy is Stale when that many of its runs have not come, and not before leastPatience has passed: what is to run every second may
// take longer, and canary-checker has a least interval of its own.
const (
	missedRuns    = 3
	leastPatience = time.Minute
)

// stale returns when a check at last is too old; ok is false where none ever is. A cron schedule counts in UTC, unless it names its
// time zone.
func (s Schedule) stale(last Stamp) (at time.Time, ok bool) {
	if s.times == nil {
		return time.Time{}, false
	}
	at = last.Time()
	for range missedRuns {
		if at = s.times.Next(at); at.IsZero() {
			return time.Time{}, false
		}
	}
	if least := last.Time().Add(leastPatience); at.Before(least) {
		at = least
	}
	return at, true
}

// clock tells which results are stale at a time. Older checks are stale sooner, so few of many have to be asked for.
type clock struct {
	schedule Schedule
	now      time.Time
	fresh    Stamp     // a check then is fresh, and so are later ones; 0 where none is known
	stale    Stamp     // a check then is stale, and so are earlier ones
	next     time.Time // when something changes next by time alone, zero where nothing does
}

func (c *clock) isStale(last Stamp) bool {
	switch {
	case c.fresh != 0 && last >= c.fresh:
		return false
	case last <= c.stale:
		return c.stale != 0
	}
	at, ok := c.schedule.stale(last)
	switch {
	case !ok:
		return false
	case at.After(c.now):
		c.fresh = last
		c.wake(at)
		return false
	default:
		c.stale = last
		return true
	}
}

// wake notes that something changes at that time.
func (c *clock) wake(at time.Time) {
	if c.next.IsZero() || at.Before(c.next) {
		c.next = at
	}
}
