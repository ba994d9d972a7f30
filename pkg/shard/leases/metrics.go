package leases

import "github.com/prometheus/client_golang/prometheus"

// Metrics tells how members are shared.
type Metrics struct {
	replicas, agreed prometheus.Gauge
}

// NewMetrics registers the metrics of sharing.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		replicas: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "fanout_shard_replicas",
			Help: "Replicas among which this one sees the members shared out; 0 while it has no share.",
		}),
		agreed: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "fanout_shard_agreed",
			Help: "1 while all replicas that this one sees act upon the same set of replicas, so that each member has one.",
		}),
	}
	registry.MustRegister(m.replicas, m.agreed)
	return m
}

func (m *Metrics) share(replicas int, agreed bool) {
	m.replicas.Set(float64(replicas))
	m.agreed.Set(0)
	if agreed {
		m.agreed.Set(1)
	}
}

func (m *Metrics) forget() { m.share(0, false) }
