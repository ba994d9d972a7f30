package fanout

import (
	"github.com/prometheus/client_golang/prometheus"

	"fanout/pkg/fanout/member"
)

// Metrics counts what the controller does.
type Metrics struct {
	members *member.Metrics
	parents *prometheus.GaugeVec
	writes  *prometheus.CounterVec
	bytes   prometheus.Counter
	results *resultsCollector
}

// NewMetrics registers the controller's metrics.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		members: member.NewMetrics(registry),
		parents: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "fanout_parents",
			Help: "Canaries of the hub with an agentSelector, by whether it is valid.",
		}, []string{"selector"}),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanout_status_writes_total",
			Help: "Writes of parents' statuses in the hub, by outcome: written or failed.",
		}, []string{"outcome"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanout_status_written_bytes_total",
			Help: "Bytes of parents' statuses that were sent to the hub.",
		}),
	}
	for _, outcome := range []string{"written", "failed"} {
		m.writes.WithLabelValues(outcome)
	}
	m.results = newResultsCollector()
	registry.MustRegister(m.parents, m.writes, m.bytes, m.results)
	return m
}

// parentChanged counts a Canary of the hub that came (old is nil), changed or went (new is nil).
func (m *Metrics) parentChanged(old, new *parent) {
	for step, p := range map[float64]*parent{-1: old, 1: new} {
		switch {
		case p == nil || p.canary == nil && p.invalid == nil:
		case p.invalid != nil:
			m.parents.WithLabelValues("invalid").Add(step)
		default:
			m.parents.WithLabelValues("valid").Add(step)
		}
	}
}

// statusWritten counts a write of a parent's status.
func (m *Metrics) statusWritten(outcome string, size int) {
	m.writes.WithLabelValues(outcome).Inc()
	m.bytes.Add(float64(size))
}

// forgetParents takes back what parentChanged counted, when nobody watches them any more.
func (m *Metrics) forgetParents() { m.parents.Reset() }
