package clusters

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"k8s.io/client-go/rest"
)

func TestEventsAreTheLastFew(t *testing.T) {
	var e Events
	if e.Last() != nil {
		t.Errorf("there are some: %v", e.Last())
	}
	add := func(minute int, reason, message string) {
		e.add(Event{Time: monday.Add(time.Duration(minute) * time.Minute), Reason: reason, Message: message})
	}
	reasons := func() string {
		var all []string
		for _, event := range e.Last() {
			all = append(all, fmt.Sprint(event.Reason, event.Time.Minute()))
		}
		return strings.Join(all, " ")
	}
	add(1, "Connected", "it works")
	add(2, "Unreachable", "timed out")
	held := e.Last()
	add(3, "Unreachable", "timed out")
	if got := reasons(); got != "Unreachable3 Connected1" {
		t.Errorf("one that came again: %s", got)
	}
	if held[0].Time.Minute() != 2 {
		t.Error("what was handed out has changed")
	}
	for i := range 4 {
		add(4+i, "Unreachable", fmt.Sprint("no route ", i))
	}
	if got := reasons(); got != "Unreachable7 Unreachable6 Unreachable5 Unreachable4 Unreachable3" {
		t.Errorf("of many: %s", got)
	}
	add(9, "Refused", strings.Repeat("é", 1000))
	if got := e.Last()[0].Message; len(got) > maxEventText || !utf8.ValidString(got) || !strings.HasSuffix(got, "é…") {
		t.Errorf("of a long text %d bytes: %q", len(got), got)
	}
}

// What is put on a Secret is remembered, without the credential.
func TestWhatIsReportedIsRemembered(t *testing.T) {
	f := newForeseeing()
	f.redactor.learn(&rest.Config{BearerToken: planted})
	f.event(aSecret(), "Warning", "Unreachable", "https://10.0.0.1 does not take "+planted)
	last := f.particulars.Events.Last()
	if len(last) != 1 || !last[0].Warning || last[0].Reason != "Unreachable" || !last[0].Time.Equal(monday) || strings.Contains(last[0].Message, planted) {
		t.Errorf("%+v", last)
	}
}

// BenchmarkEvents tells what those of an agent take in memory that has as many as are kept, of the longest texts.
func BenchmarkEvents(b *testing.B) {
	const agents = 5000
	text := strings.Repeat("x", 2*maxEventText)
	for b.Loop() {
		before := inUse()
		all := make([]Events, agents)
		for i := range all {
			for j := range 2 * maxEvents {
				all[i].add(Event{Time: monday, Reason: "Unreachable", Message: fmt.Sprint(j, text)})
			}
		}
		b.ReportMetric(float64(inUse()-before)/agents, "B/agent")
		runtime.KeepAlive(all)
	}
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
