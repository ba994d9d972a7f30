package results

// Result is what is kept of a copy's status: at most 300 bytes with all that hangs on it, and a quarter of that where nothing fails.
// The zero Result is that nothing was heard.
type Result struct {
	// Error is why its checks fail, shortened; empty where none does.
	Error string
	// Message is the text that its checks display, shortened to what Error leaves room for.
	Message string
	// Odd is what is not as canary-checker writes it, nil where nothing is.
	Odd *Odd
	// LastCheck is when canary-checker last ran the copy, Transitioned when it last fared otherwise than before, both by the member's clock.
	LastCheck, Transitioned Stamp
	// Heard is when LastCheck was first heard of, by the hub's clock.
	Heard Stamp
	// Passed of Runs (times checks) passed within an hour; no Runs where that is not known.
	Passed, Runs uint32
	// Latency is that of its slowest check in milliseconds, if it is Timed.
	Latency uint32
	Timed   bool
	// Advanced is set when LastCheck was seen to change, so that Heard is the time of a check and not of a list.
	Advanced bool
	// Outcome is Passed, Failed or Invalid, and Pending where the copy was never run.
	Outcome State
	// Seen is set when canary-checker has written anything, HasChecks when it found checks in the copy.
	Seen, HasChecks bool
}

// Odd are values as they were found, shortened, that are not as canary-checker writes them; those that are stay empty.
type Odd struct{ Status, Uptime, Latency, LastCheck string }

// Bounds of a Result's texts.
const (
	maxTexts = 144 // of all together
	maxOdd   = 24  // of each that is odd
)

// uptime is what an entry says of it.
func (r *Result) uptime() string {
	if r.Odd != nil && r.Odd.Uptime != "" {
		return r.Odd.Uptime
	}
	return formatUptime(uint64(r.Passed), uint64(r.Runs))
}

// latency is what an entry says of it.
func (r *Result) latency() string {
	switch {
	case r.Odd != nil && r.Odd.Latency != "":
		return r.Odd.Latency
	case r.Timed:
		return formatLatency(r.Latency)
	default:
		return ""
	}
}

// since is the time by which the age of the result counts: the hub's where a check was seen to come in, or the copy says no time,
// and else the member's, which is not believed of the future.
func (r *Result) since() Stamp {
	if r.Advanced || r.LastCheck == 0 || r.Heard != 0 && r.LastCheck > r.Heard {
		return r.Heard
	}
	return r.LastCheck
}

// believed is one of its times, or that of the hub, where that is earlier.
func (r *Result) believed(s Stamp) Stamp {
	if r.Heard != 0 {
		return min(s, r.Heard)
	}
	return s
}

// failing tells whether it is known to fail, however old that knowledge is.
func (s State) failing() bool { return s == Failed || s == Invalid }

// Differs tells whether a copy fares otherwise by r than by before: that is worth a write to its parent's status within a second.
func (r *Result) Differs(before *Result) bool { return r.Outcome != before.Outcome }
