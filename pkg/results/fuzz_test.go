package results

import (
	"encoding/json"
	"testing"
	"time"
)

// FuzzRead reads any status, and aggregates it beside an ordinary one.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"status":"Passed","lastCheck":"2026-11-24T12:33:00Z","uptime1h":"33/66 (50.0%)","latency1h":"2m5s","checkStatus":{"a":{"uptime1h":"0/2 0%"}}}`,
		`{"errorMessage":"no","message":"\u202e\u0000\ud800"}`, `{"status":"Invalid","lastCheck":"9999-12-31T23:59:59-23:59","uptime1h":"0/0"}`,
		`{"status":"Passed","latency1h":"1ms1ms1","message":": , before"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var status any
		if json.Unmarshal([]byte(text), &status) != nil {
			t.Skip()
		}
		first := read(status)
		if size := len(first.Error) + len(first.Message); size > maxTexts {
			t.Errorf("%d bytes of text are kept", size)
		}
		agents := []Agent{agent("a", status), agent("b", passing(0))}
		got := aggregate(every30s(), agents...)
		if size := stored(t, got.Status); size > MaxSize {
			t.Errorf("the status takes %d bytes", size)
		}
		live := wire(t, got.Status)
		entries := ReadEntries(live)
		restarted := []Agent{{Name: "a", Unheard: true, Before: entries["a"]}, {Name: "b", Unheard: true, Before: entries["b"]}}
		if again := Aggregate(every30s(), restarted, ReadShown(live), noon.Add(time.Hour)); again.Shown.Whole != got.Shown.Whole {
			t.Errorf("after a restart it is %v, and was %v", again.Status, got.Status)
		}
	})
}

// FuzzSchedule parses any schedule: what fits its bounds has a next time after any other, or none.
func FuzzSchedule(f *testing.F) {
	for _, seed := range []string{"@every 30s", "*/5 * * * *", "30 3-6,20-23 * * *", "TZ=0", "CRON_TZ=Europe/Berlin 0 9 * * 1-5", "0 0 30 2 *", "@daily", "@every 99999999999h", "TZ= * * * * *", "* , * * *", ", * * * *"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := ParseSchedule(text, 0)
		if len(s.fault) > maxTexts {
			t.Errorf("the fault is %d bytes long", len(s.fault))
		}
		at, ok := s.stale(StampOf(noon))
		if ok && at.Before(noon.Add(leastPatience)) {
			t.Errorf("%q: a check is stale at %s, and it was at %s", text, at, noon)
		}
		if later, _ := s.stale(StampOf(noon.Add(time.Hour))); ok && later.Before(at) {
			t.Errorf("%q: a later check is stale earlier, at %s and not %s", text, later, at)
		}
	})
}
