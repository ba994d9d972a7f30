package fanout

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/fanouttest"
)

// What it takes to tell of a thousand parents, each of a thousand agents.
func BenchmarkTell(b *testing.B) {
	const many = 1000
	c := New((&fanouttest.Server{}).Client(b), testOptions(prometheus.NewRegistry()))
	for i := range many {
		c.Miss(clusters.Missing{Agent: fmt.Sprintf("agent-%d", i), State: clusters.Unreachable, Detail: "timed out", Since: time.Now(), Labels: map[string]string{}})
	}
	newParent := newParent(thisHub, time.Now, time.Time{})
	for i := range many {
		made, err := newParent(aParent(withSelector([]any{"agent-*"}), withSpec("schedule", "@every 30s")))
		if err != nil {
			b.Fatal(err)
		}
		p := made.(*parent)
		p.SetName(fmt.Sprintf("parent-%d", i))
		if err := c.parents.Add(p); err != nil {
			b.Fatal(err)
		}
		c.withTally(p, func(told *tally) { c.statuses.all[p.key()] = &status{uid: p.GetUID(), told: told} })
	}
	close(c.ready)
	b.Run("Agents", func(b *testing.B) {
		for b.Loop() {
			if answer, err := c.Agents(b.Context()); err != nil || answer.Items[0].Selected != many {
				b.Fatal(err, answer.Items[0])
			}
		}
	})
	b.Run("Canaries", func(b *testing.B) {
		for b.Loop() {
			if answer, err := c.Canaries(b.Context(), ""); err != nil || answer.Items[0].Agents != many {
				b.Fatal(err, answer.Items[0])
			}
		}
	})
	b.Run("Canary", func(b *testing.B) {
		for b.Loop() {
			if answer, err := c.Canary(b.Context(), "payments", "parent-7"); err != nil || len(answer.Canary.Copies) != many {
				b.Fatal(err)
			}
		}
	})
}
