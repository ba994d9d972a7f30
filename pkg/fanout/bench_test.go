package fanout

import (
	"context"
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/fanouttest"
	"fanout/pkg/fanout/member"
)

// BenchmarkChanged tells what one edited parent costs where it is matched against 5,000 members, a quarter of which are selected and
// told to look.
func BenchmarkChanged(b *testing.B) {
	const count = 5000
	tiers, regions := []string{"prod", "staging", "test", "dev"}, []string{"eu", "us", "ap"}
	for name, entries := range map[string][]any{
		"labels": {"tier=prod,region in (eu,us,ap)", "!maintenance=true"},
		"names":  {"*-prod", "!us-*-dev"},
	} {
		b.Run(fmt.Sprintf("members=%d/by=%s", count, name), func(b *testing.B) {
			server := &fanouttest.Server{}
			c := New(server.Client(b), testOptions(prometheus.NewRegistry()))
			for i := range count {
				joined := &clusters.Member{
					Agent: fmt.Sprintf("%s-edge-%d-%s", regions[i%3], i, tiers[i%4]), Client: c.client, Namespaces: everyNamespace(),
					Labels: map[string]string{"tier": tiers[i%4], "region": regions[i%3], "team": "platform", "example.com/owner": "somebody"},
				}
				a := newAgent(joined)
				m := &running{Member: member.New(joined, asked{c, a}, c.options.ofMembers()), agent: a}
				c.members[joined.Agent] = m
				b.Cleanup(func() { stop(m) })
			}
			old, new := parentOf(b, aParent(withSelector(entries))), parentOf(b, aParent(withSelector(entries), withSpec("schedule", "@every 7m")))
			b.ReportAllocs()
			for b.Loop() {
				c.changed(old, new)
			}
		})
	}
}

// stop ends what a member has begun that never ran.
func stop(m *running) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m.Run(ctx)
}
