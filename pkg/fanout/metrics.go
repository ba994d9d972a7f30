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
	mirrors *prometheus.GaugeVec
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
	m.mirrors = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "fanout_mirrors",
		Help: "Agents of parents whose mirrors are kept in the hub, are not since --mirror-limit is reached (limit), or can't be since something else stands there (conflict).",
	}, []string{"state"})
	for _, state := range mirrorStates {
		m.mirrors.WithLabelValues(state)
	}
	for _, outcome := range []string{"written", "failed"} {
		m.writes.WithLabelValues(outcome)
	}
	m.results = newResultsCollector()
	registry.MustRegister(m.parents, m.writes, m.bytes, m.results, m.mirrors)
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

// mirrored counts agents by what becomes of their mirrors.
func (m *Metrics) mirrored(kept, limit, conflict int) {
	for i, n := range []int{kept, limit, conflict} {
		m.mirrors.WithLabelValues(mirrorStates[i]).Set(float64(n))
	}
}

// forgetParents takes back what parentChanged counted, when nobody watches them any more.
func (m *Metrics) forgetParents() { m.parents.Reset() }
