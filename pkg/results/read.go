package results

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Reader reads statuses. Texts that many copies have, as when a service fails everywhere, are one in memory. The zero Reader is
// ready, and good for all members at once.
type Reader struct {
	mu    sync.Mutex
	texts map[string]string
}

// maxShared bounds what a Reader remembers for sharing: about half a MiB.
const maxShared = 4096

// Read returns what status, that of a copy as it came out of JSON, says at the time now, where before is what it said last. Nothing
// is an error: what is odd is kept as it is, shortened.
//
// canary-checker's status is that of the check which ended last. So a copy passes only if there is no error beside it, and no check
// that failed every time in the last hour.
func (r *Reader) Read(status any, before Result, now time.Time) Result {
	fields, _ := status.(map[string]any)
	entry := Entry{
		ErrorMessage: scalar(fields["errorMessage"]),
		LastCheck:    scalar(fields["lastCheck"]), LastTransitioned: scalar(fields["lastTransitionedTime"]),
		Latency: scalar(fields["latency1h"]), Uptime: scalar(fields["uptime1h"]),
	}
	checks, _ := fields["checks"].(map[string]any)
	result := entry.read()
	result.Seen, result.HasChecks = len(fields) > 0, len(checks) > 0

	said := scalar(fields["status"])
	switch said {
	case "":
		switch {
		case result.Error != "" && result.LastCheck != 0:
			result.Outcome = Failed
		case result.Error != "": // a schedule that does not parse, say: it is never run
			result.Outcome = Invalid
		}
	case Passed.String():
		result.Outcome = Passed
		if result.Error != "" {
			result.Outcome = Failed
		} else if neverPasses(fields["checkStatus"]) {
			result.Outcome, result.Error = Failed, "one of its checks has not passed in the last hour, and does not say why"
		}
	case Failed.String():
		result.Outcome = Failed
	default:
		if result.Outcome = Invalid; said != Invalid.String() {
			result.odd().Status = clip(said, maxOdd)
		}
	}
	result.hear(&before, now)
	result.fit(scalar(fields["message"]))
	r.share(&result)
	return result
}

// scalar returns a field as text, which most are. Of an object or a list no more than that is of interest.
func scalar(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case bool, int, int64, float64, json.Number:
		return fmt.Sprint(value)
	default:
		return "(no text)"
	}
}

// neverPasses tells whether checkStatus has a check that passed in none of its runs, and so not in the last.
func neverPasses(checkStatus any) bool {
	checks, _ := checkStatus.(map[string]any)
	for _, check := range checks {
		fields, _ := check.(map[string]any)
		if passed, runs, ok := parseUptime(scalar(fields["uptime1h"])); ok && passed == 0 && runs > 0 {
			return true
		}
	}
	return false
}

// odd returns what is odd of r, to be added to.
func (r *Result) odd() *Odd {
	if r.Odd == nil {
		r.Odd = &Odd{}
	}
	return r.Odd
}

// fit shortens what a Result says to its bound: what is odd comes first, the error next, and the message gets what is left.
func (r *Result) fit(message string) {
	room := maxTexts
	if o := r.Odd; o != nil {
		room -= len(o.Status) + len(o.Uptime) + len(o.Latency) + len(o.LastCheck)
	}
	r.Error = clip(r.Error, room)
	const least = 16 // less than this is not worth reading
	if room -= len(r.Error); room >= least {
		r.Message = clip(message, room)
	}
}

// hear notes when the hub heard of the check. One far in the future by the hub's clock is odd.
func (r *Result) hear(before *Result, now time.Time) {
	switch {
	case before.Heard == 0:
		r.Heard = StampOf(now)
	case r.LastCheck == before.LastCheck:
		r.Heard, r.Advanced = before.Heard, before.Advanced
	default:
		r.Heard, r.Advanced = StampOf(now), true
	}
	const skew = 60 // seconds
	if r.LastCheck > r.Heard && r.LastCheck-r.Heard > skew {
		r.odd().LastCheck = r.LastCheck.String()
	}
}

// share gives result texts that hold on to nothing else, and that are one with those of others where these say the same.
func (r *Reader) share(result *Result) {
	for _, text := range []*string{&result.Error, &result.Message} {
		if *text != "" {
			*text = r.shared(*text)
		}
	}
	if o := result.Odd; o != nil {
		o.Status, o.Uptime = strings.Clone(o.Status), strings.Clone(o.Uptime)
		o.Latency, o.LastCheck = strings.Clone(o.Latency), strings.Clone(o.LastCheck)
	}
}

func (r *Reader) shared(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.texts[text]; ok {
		return known
	}
	if r.texts == nil || len(r.texts) >= maxShared {
		r.texts = map[string]string{}
	}
	text = strings.Clone(text)
	r.texts[text] = text
	return text
}
