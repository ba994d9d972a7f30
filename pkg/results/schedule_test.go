package results

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhenACheckIsStale(t *testing.T) {
	for _, row := range []struct {
		schedule string
		interval int64
		want     string // after a check at noon, in 2026; empty for never
	}{
		{"@every 30s", 0, "11-24T12:34:30"},
		{"@every 1h30m", 0, "11-24T17:03:00"},
		{"", 60, "11-24T12:36:00"},
		{"@every 5m", 60, "11-24T12:48:00"}, // as canary-checker has it, the schedule counts
		{"@every 1s", 0, "11-24T12:34:00"},  // and no less than a minute
		{"*/5 * * * *", 0, "11-24T12:45:00"},
		{"30 3-6,20-23 * * *", 0, "11-24T22:30:00"},
		{"0 9 * * 1-5", 0, "11-27T09:00:00"},
		{"CRON_TZ=Asia/Tokyo 0 9 * * *", 0, "11-27T00:00:00"},
		{"@hourly", 0, "11-24T15:00:00"},
		{"0 0 30 2 *", 0, ""},
		{"", 0, ""},
		{"", -5, ""},
		{"@never", 60, ""},
		{"sometimes", 0, ""},
	} {
		got := ""
		if at, ok := ParseSchedule(row.schedule, row.interval).stale(StampOf(noon)); ok {
			got = strings.TrimPrefix(at.UTC().Format("2006-01-02T15:04:05"), "2026-")
		}
		if got != row.want {
			t.Errorf("%q, %d: stale at %q, want %q", row.schedule, row.interval, got, row.want)
		}
	}
	if at, ok := ParseSchedule("", 1<<62).stale(StampOf(noon)); !ok || at.Before(noon.AddDate(250, 0, 0)) {
		t.Errorf("with an interval of ages it is stale at %s", at)
	}
}

func TestFaultsOfSchedules(t *testing.T) {
	for schedule, want := range map[string]string{
		"sometimes":               "expected exactly 5 fields, found 1: [sometimes]",
		"TZ=0":                    "a time zone, and no times",
		"CRON_TZ=Nowhere 0 * * *": "bad location Nowhere",
		"* , * * *":               "a field of it is empty",
		strings.Repeat("*", 2000): "longer than 1000 bytes",
		"@every soon":             "soon",
	} {
		if fault := ParseSchedule(schedule, 0).fault; !strings.Contains(fault, want) || !strings.HasPrefix(fault, `schedule "`) {
			t.Errorf("%q: %q does not tell that it is %q", schedule, fault, want)
		}
	}
}

// A clock that asks for few results finds the same ones stale as one that asks for each.
func TestClock(t *testing.T) {
	for _, schedule := range []string{"@every 30s", "*/5 * * * *", "0 9 * * *", "", "0 0 30 2 *"} {
		c := clock{schedule: ParseSchedule(schedule, 0), now: noon}
		var next time.Time
		for _, ago := range []int{50, 89, 90, 91, 3600, 10, 200, 0, 1000, 901, 899, 700_000, 85, 1} {
			last := StampOf(noon.Add(-time.Duration(ago) * time.Second))
			at, ever := c.schedule.stale(last)
			if want := ever && !at.After(noon); c.isStale(last) != want {
				t.Errorf("%q: a check %d s ago is stale: %t", schedule, ago, !want)
			}
			if ever && at.After(noon) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		if !c.next.Equal(next) {
			t.Errorf("%q: something changes at %s, and not at %s", schedule, c.next, next)
		}
	}
}

func TestReadsParents(t *testing.T) {
	at := func(p Parent) string {
		when, ok := p.Schedule.stale(StampOf(noon))
		if !ok {
			return ""
		}
		return when.Sub(noon).String()
	}
	type read struct {
		Generation int64
		Paused     bool
		Stale      string
	}
	for canary, want := range map[string]read{
		`{"metadata":{"generation":3},"spec":{"schedule":"@every 30s","replicas":1}}`:                   {3, false, "1m30s"},
		`{"metadata":{"annotations":{"suspend":"true"}},"spec":{"interval":60}}`:                        {0, true, "3m0s"},
		`{"metadata":{"annotations":{"suspend":"false"}},"spec":{"schedule":"@every 1m","replicas":0}}`: {0, true, "3m0s"},
		`{"spec":{"schedule":5,"interval":"60","replicas":"0"}}`:                                        {},
		`{"metadata":"x","spec":[]}`: {},
		`{}`:                         {},
	} {
		p := ReadParent(object(t, canary))
		if diff := cmp.Diff(want, read{p.Generation, p.Paused, at(p)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", canary, diff)
		}
	}
	// As client-go decodes it.
	p := ReadParent(map[string]any{"metadata": map[string]any{"generation": int64(7)}, "spec": map[string]any{"interval": int64(60), "replicas": int64(0)}})
	if p.Generation != 7 || !p.Paused || at(p) != "3m0s" {
		t.Errorf("it is read as %+v", p)
	}
	for _, name := range []string{"slow-interval.json", "cron.json", "derived-by-fanout.json"} {
		if p := ReadParent(recordedCanary(t, name)); p.Paused || at(p) == "" {
			t.Errorf("%s is read as %+v", name, p)
		}
	}
	for _, name := range []string{"paused-annotation.json", "paused-replicas.json"} {
		if !ReadParent(recordedCanary(t, name)).Paused {
			t.Errorf("%s is not paused", name)
		}
	}
}
