package results

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
)

// What a copy claims beyond these is shown and counted nowhere: canary-checker looks back an hour.
const (
	maxRuns    = 1_000_000
	maxLatency = 24 * time.Hour
)

// parseUptime reads how many of how many runs passed: "33/66 (50.0%)", "0/2 0%".
func parseUptime(text string) (passed, runs uint32, ok bool) {
	counts, _, _ := strings.Cut(text, " ")
	first, second, some := strings.Cut(counts, "/")
	if !some {
		return 0, 0, false
	}
	p, errP := strconv.ParseUint(first, 10, 32)
	r, errR := strconv.ParseUint(second, 10, 32)
	if errP != nil || errR != nil || p > r || r == 0 || r > maxRuns {
		return 0, 0, false
	}
	return uint32(p), uint32(r), true
}

// formatUptime writes it as canary-checker does, to the last rounding.
func formatUptime(passed, runs uint64) string {
	switch {
	case runs == 0:
		return ""
	case passed == 0:
		return fmt.Sprintf("0/%d 0%%", runs)
	default:
		return fmt.Sprintf("%d/%d (%.1f%%)", passed, runs, 100*(1-float64(runs-passed)/float64(runs)))
	}
}

// parseLatency reads a latency in milliseconds: "3ms", "1s", "2m5s".
func parseLatency(text string) (ms uint32, ok bool) {
	var sum time.Duration
	for rest := text; rest != ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		count, err := strconv.ParseUint(rest[:digits], 10, 32)
		if err != nil {
			return 0, false
		}
		rest = rest[digits:]
		letters := len(rest) - len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz"))
		unit := units[rest[:letters]]
		if unit == 0 || count > uint64(maxLatency/unit) {
			return 0, false
		}
		if sum += time.Duration(count) * unit; sum > maxLatency {
			return 0, false
		}
		rest = rest[letters:]
	}
	return uint32(sum.Milliseconds()), text != ""
}

var units = map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

// formatLatency writes it as canary-checker does.
func formatLatency(ms uint32) string {
	if d := time.Duration(ms) * time.Millisecond; d >= time.Second {
		return duration.HumanDuration(d)
	}
	return strconv.FormatUint(uint64(ms), 10) + "ms"
}
