package results

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

func at(clock string) Stamp {
	t, err := time.Parse(time.RFC3339, "2026-11-24T"+clock+"Z")
	if err != nil {
		panic(err)
	}
	return StampOf(t)
}

// What each recording comes to.
func TestReadsWhatWasRecorded(t *testing.T) {
	for name, want := range map[string]Result{
		"http-pass.json":         {Outcome: Passed, Passed: 12, Runs: 12, Latency: 3, LastCheck: at("12:32:09"), Transitioned: at("12:07:58")},
		"cron.json":              {Outcome: Passed, Passed: 14, Runs: 14, Latency: 4, LastCheck: at("12:32:00"), Transitioned: at("12:07:58")},
		"flaky.json":             {Outcome: Passed, Passed: 23, Runs: 23, Latency: 3, LastCheck: at("12:32:09"), Transitioned: at("12:07:57")},
		"slow-interval.json":     {Outcome: Passed, Passed: 6, Runs: 6, Latency: 1000, LastCheck: at("12:31:42"), Transitioned: at("12:08:03")},
		"derived-by-fanout.json": {Outcome: Passed, Passed: 18, Runs: 18, Latency: 1, LastCheck: at("12:32:20"), Transitioned: at("12:26:39")},
		"two-checks.json": {Outcome: Failed, Error: "expected 500 to be in [200]", Passed: 12, Runs: 24, Latency: 12, LastCheck: at("12:32:09"),
			Transitioned: at("12:07:58")},
		// These two say that they passed.
		"two-checks-fail-first.json": {Outcome: Failed, Error: "expected 500 to be in [200]", Passed: 12, Runs: 24, Latency: 2,
			LastCheck: at("12:32:11"), Transitioned: at("12:07:59")},
		"many-checks.json": {Outcome: Failed, Error: "expected 500 to be in [200], (2 more)", Passed: 204, Runs: 240, Latency: 8,
			LastCheck: at("12:32:09"), Transitioned: at("12:07:59")},
		"removed-type.json": {Outcome: Failed, Error: "this check type has been removed, use kubernetesResource or exec checks instead", Runs: 13,
			LastCheck: at("12:32:21"), Transitioned: at("12:07:58")},
		"unreachable.json": {Outcome: Failed, Error: `Get "http://127.0.0.1:28099/": dial tcp 127.0.0.1:28099: connect: connection refused`,
			Runs: 12, Latency: 1, LastCheck: at("12:32:09"), Transitioned: at("12:07:58")},
		"transformed.json": {Outcome: Invalid, Latency: 2, LastCheck: at("12:32:09"), Transitioned: at("12:07:59"),
			Error: "error transforming result: issues: ERROR: <input>:1:1: expression of type 'any' cannot"},
		"big-error.json": {Outcome: Failed, Runs: 6, Latency: 145, LastCheck: at("12:31:42"), Transitioned: at("12:08:02"),
			Error: "line 1: something went wrong while reading the source file line 2: something went wrong"},
		"big-message.json": {Outcome: Passed, Passed: 6, Runs: 6, Latency: 17, LastCheck: at("12:31:41"), Transitioned: at("12:07:57"),
			Message: "line 1: all is well in this place line 2: all is well"},
		"bad-schedule.json": {Outcome: Invalid, Error: "failed to sync canary job: failed to schedule canary"},
		// These were never run.
		"no-checks.json":         {},
		"no-schedule.json":       {},
		"paused-annotation.json": {},
		"paused-replicas.json":   {},
	} {
		t.Run(name, func(t *testing.T) {
			got := read(recordedCanary(t, name)["status"])
			if !got.Seen || got.HasChecks == (name == "no-checks.json" || name == "bad-schedule.json") {
				t.Errorf("seen %t, with checks %t", got.Seen, got.HasChecks)
			}
			want.Seen, want.HasChecks, want.Heard = got.Seen, got.HasChecks, StampOf(noon)
			want.Timed = want.LastCheck != 0 // each of these has a latency, be it 0ms
			if !strings.HasPrefix(got.Error, want.Error) || !strings.HasPrefix(got.Message, want.Message) {
				t.Errorf("error %q and message %q don't begin with %q and %q", got.Error, got.Message, want.Error, want.Message)
			}
			want.Error, want.Message = got.Error, got.Message
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Nothing that a real one writes is taken for odd.
func TestNothingRecordedIsOdd(t *testing.T) {
	recordedCanary(t, "http-pass.json") // skips where there are none
	names, err := filepath.Glob(filepath.Join(recordings, "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, name := range names {
		var value any
		recorded(t, filepath.Base(name), &value)
		if canary, ok := value.(map[string]any); ok {
			if r := read(canary["status"]); r.Odd != nil {
				t.Errorf("%s: what a real canary-checker writes is taken for odd: %+v", name, r.Odd)
			}
		}
	}
}

// Beside what a real one writes, this is what a status may hold.
func TestReadsWhatIsOdd(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, row := range []struct {
		name, status string
		want         Result
	}{
		{"nothing", `{}`, Result{}},
		{"a new word", `{"status":"Degraded","lastCheck":"2026-11-24T12:00:00Z"}`,
			Result{Outcome: Invalid, Seen: true, LastCheck: at("12:00:00"), Odd: &Odd{Status: "Degraded"}}},
		{"other case", `{"status":"passed"}`, Result{Outcome: Invalid, Seen: true, Odd: &Odd{Status: "passed"}}},
		{"a number", `{"status":5,"errorMessage":7.5}`, Result{Outcome: Invalid, Seen: true, Error: "7.5", Odd: &Odd{Status: "5"}}},
		{"lists and objects", `{"status":["Passed"],"message":{"a":1},"checkStatus":[1],"checks":"x"}`,
			Result{Outcome: Invalid, Seen: true, Message: "(no text)", Odd: &Odd{Status: "(no text)"}}},
		{"an error alone, checked", `{"errorMessage":"no","lastCheck":"2026-11-24T12:00:00Z"}`,
			Result{Outcome: Failed, Seen: true, Error: "no", LastCheck: at("12:00:00")}},
		{"a check without an error", `{"status":"Passed","checkStatus":{"1":{"uptime1h":"0/3 0%"},"2":{"uptime1h":"3/3 (100.0%)"}}}`,
			Result{Outcome: Failed, Seen: true, Error: "one of its checks has not passed in the last hour, and does not say why"}},
		{"other spellings", `{"status":"Passed","uptime1h":"3/4","latency1h":"0m90s","lastCheck":"2026-11-24T14:00:00.5+02:00"}`,
			Result{Outcome: Passed, Seen: true, Passed: 3, Runs: 4, Latency: 90_000, Timed: true, LastCheck: at("12:00:00"),
				Odd: &Odd{Uptime: "3/4", Latency: "0m90s"}}},
		{"impossible numbers", `{"status":"Passed","uptime1h":"7/3 (1%)","latency1h":"99999999999999999999d"}`,
			Result{Outcome: Passed, Seen: true, Odd: &Odd{Uptime: "7/3 (1%)", Latency: "99999999999999999999d"}}},
		{"a year's latency, a billion runs", `{"status":"Passed","uptime1h":"4000000000/4000000000 (100.0%)","latency1h":"365d"}`,
			Result{Outcome: Passed, Seen: true, Odd: &Odd{Uptime: "4000000000/400…100.0%)", Latency: "365d"}}},
		{"percentiles", `{"status":"Passed","latency1h":"p99=3ms"}`, Result{Outcome: Passed, Seen: true, Odd: &Odd{Latency: "p99=3ms"}}},
		{"times that are none", `{"status":"Passed","lastCheck":"yesterday","lastTransitionedTime":"9999-12-31T23:59:59-23:59"}`,
			Result{Outcome: Passed, Seen: true, Odd: &Odd{LastCheck: "yesterday"}}},
		{"controls", `{"status":"Failed","errorMessage":"\u001b[31mred\u001b[0m\n\u202eevil\u2066\u200b\t\t<b>&\u0000"}`,
			Result{Outcome: Failed, Seen: true, Error: "[31mred [0m evil <b>&"}},
		{"long", `{"status":"` + long + `","errorMessage":"` + long + `end"}`,
			Result{Outcome: Invalid, Seen: true, Error: strings.Repeat("x", 78) + "…" + strings.Repeat("x", 36) + "end",
				Odd: &Odd{Status: strings.Repeat("x", 14) + "…" + strings.Repeat("x", 7)}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := read(object(t, row.status))
			row.want.Heard = StampOf(noon)
			if row.name == "lists and objects" {
				row.want.HasChecks = got.HasChecks
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, nothing := range []any{nil, "text", []any{}} {
		if diff := cmp.Diff(Result{Heard: StampOf(noon)}, read(nothing)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", nothing, diff)
		}
	}
}

// A copy that fails for two runs and recovers, as it was recorded.
func TestReadsTransitions(t *testing.T) {
	var versions []struct {
		Seconds float64
		Status  map[string]any
	}
	recorded(t, "transitions-of-flaky.json", &versions)
	var reader Reader
	var known Result
	var outcomes []string
	for i, version := range versions {
		now := noon.Add(time.Duration(version.Seconds * float64(time.Second)))
		next := reader.Read(version.Status, known, now)
		if again := reader.Read(version.Status, next, now.Add(time.Hour)); again != next {
			t.Errorf("version %d, read again, is %+v and not %+v", i, again, next)
		}
		if next.Heard != StampOf(now) || next.Advanced != (i > 0) {
			t.Errorf("version %d was heard at %s, advanced %t", i, next.Heard, next.Advanced)
		}
		if i > 0 && next.Differs(&known) {
			outcomes = append(outcomes, next.Outcome.String()+" "+next.Transitioned.String())
		}
		known = next
	}
	want := []string{"Failed 2026-11-24T12:33:09Z", "Passed 2026-11-24T12:33:39Z"}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSharesTexts(t *testing.T) {
	var reader Reader
	status := func() any { return failing(0, string([]byte("connection refused"))) }
	a, b := reader.Read(status(), Result{}, noon), reader.Read(status(), Result{}, noon)
	if unsafe.StringData(a.Error) != unsafe.StringData(b.Error) {
		t.Error("the same error is twice in memory")
	}
	for i := range 3 * maxShared {
		reader.Read(failing(0, fmt.Sprint(i)), Result{}, noon)
	}
	if len(reader.texts) > maxShared {
		t.Errorf("%d texts are remembered", len(reader.texts))
	}
}
