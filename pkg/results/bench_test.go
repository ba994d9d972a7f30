package results

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// BenchmarkResult tells what a copy's Result takes in memory, with all that hangs on it.
func BenchmarkResult(b *testing.B) {
	for _, row := range []struct {
		name   string
		status func(i int) map[string]any
	}{
		{"passing", func(i int) map[string]any { return passing(time.Duration(i%60) * time.Second) }},
		{"failing alike", func(int) map[string]any { return failing(0, "expected 503 to be in [200]") }},
		{"failing each in its own way", func(i int) map[string]any {
			return failing(0, fmt.Sprintf("attempt %d: %s", i, strings.Repeat("no ", 100)))
		}},
		{"hostile", func(i int) map[string]any {
			status := map[string]any{}
			for _, field := range []string{"status", "errorMessage", "message", "lastCheck", "uptime1h", "latency1h"} {
				status[field] = fmt.Sprintf("%s %d: %s", field, i, strings.Repeat("no ", 1000))
			}
			return status
		}},
	} {
		b.Run(row.name, func(b *testing.B) {
			const count = 50_000
			for b.Loop() {
				reader, all := &Reader{}, make([]Result, count)
				before := inUse()
				for i := range all {
					all[i] = reader.Read(row.status(i), Result{}, noon)
				}
				b.ReportMetric(float64(inUse()-before)/count+float64(unsafe.Sizeof(Result{})), "B/copy")
				runtime.KeepAlive(all)
			}
		})
	}
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkRead reads what a real canary-checker wrote.
func BenchmarkRead(b *testing.B) {
	for _, name := range []string{"http-pass.json", "two-checks-fail-first.json", "many-checks.json", "big-error.json"} {
		status := recordedCanary(b, name)["status"]
		b.Run(strings.TrimSuffix(name, ".json"), func(b *testing.B) {
			var reader Reader
			known := reader.Read(status, Result{}, noon)
			b.ReportAllocs()
			for b.Loop() {
				known = reader.Read(status, known, noon)
			}
		})
	}
}

// BenchmarkAggregate aggregates what is known of a parent's agents.
func BenchmarkAggregate(b *testing.B) {
	cron := Parent{Generation: 1, Schedule: ParseSchedule("*/5 * * * *", 0)}
	for _, row := range []struct {
		name   string
		parent Parent
		count  int
	}{{"agents=3", every30s(), 3}, {"agents=100", every30s(), 100}, {"agents=2000", every30s(), 2000}, {"agents=2000/cron", cron, 2000}} {
		b.Run(row.name, func(b *testing.B) {
			agents := fleet(row.count, "expected 503 to be in [200], attempt %d")
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(agents), func(i, j int) { agents[i], agents[j] = agents[j], agents[i] })
			b.ReportAllocs()
			for b.Loop() {
				Aggregate(row.parent, agents, Shown{}, noon)
			}
		})
	}
}

// BenchmarkReadShown reads a parent's status, as the hub's watch brings it after each write.
func BenchmarkReadShown(b *testing.B) {
	for _, count := range []int{3, 100, 2000} {
		b.Run(fmt.Sprintf("agents=%d", count), func(b *testing.B) {
			status := aggregate(every30s(), fleet(count, "no, %d")...).Status
			b.ReportAllocs()
			for b.Loop() {
				ReadShown(status)
			}
		})
	}
}
