package member

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/fanout/derive"
)

// BenchmarkPlaces tells what a place takes in memory that fanout has written to and that is as it should be.
func BenchmarkPlaces(b *testing.B) {
	const count = 100_000
	now := time.Now()
	for b.Loop() {
		before := inUse()
		v := newView(func(types.NamespacedName) {})
		for i := range count {
			c := copyOf(fmt.Sprintf("canary-%d", i), i+1)
			c.SetUID(types.UID(uuid.NewString()))
			c.SetCreationTimestamp(metav1.Now())
			v.update(seen(c))
			key := derive.KeyOf(c)
			v.at(key, func(p *place) { p.written.wrote("hash", now) })
		}
		b.ReportMetric(float64(inUse()-before)/count, "B/place")
		runtime.KeepAlive(v)
	}
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
