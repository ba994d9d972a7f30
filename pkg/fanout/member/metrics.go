package member

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what is done in members. A member's series go when the member goes.
type Metrics struct {
	writes      *prometheus.CounterVec
	errors      *prometheus.CounterVec
	derived     *prometheus.GaugeVec
	queue       *prometheus.GaugeVec
	propagation prometheus.Histogram
}

// NewMetrics registers the metrics of members.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanout_writes_total",
			Help: "Writes of derived Canaries in members, by what they did: created, configured, restored (after somebody else's change) or deleted.",
		}, []string{"agent", "action"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanout_sync_errors_total",
			Help: "Failed attempts to bring a derived Canary in step, or to watch a member, by reason.",
		}, []string{"agent", "reason"}),
		derived: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "fanout_derived_canaries",
			Help: "Derived Canaries that a member holds.",
		}, []string{"agent"}),
		queue: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "fanout_queue_depth",
			Help: "Derived Canaries waiting for a look at them.",
		}, []string{"agent"}),
		propagation: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fanout_propagation_seconds",
			Help:    "Time from the hub telling of a parent's change to a member having accepted what follows from it.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 18),
		}),
	}
	registry.MustRegister(m.writes, m.errors, m.derived, m.queue, m.propagation)
	return m
}

// memberMetrics is one member's part.
type memberMetrics struct {
	all   *Metrics
	agent string
}

func (m *Metrics) forMember(agent string) *memberMetrics { return &memberMetrics{all: m, agent: agent} }

func (m *memberMetrics) wrote(action string)  { m.all.writes.WithLabelValues(m.agent, action).Inc() }
func (m *memberMetrics) failed(reason string) { m.all.errors.WithLabelValues(m.agent, reason).Inc() }

func (m *memberMetrics) synced(derived, queued int) {
	m.all.derived.WithLabelValues(m.agent).Set(float64(derived))
	m.all.queue.WithLabelValues(m.agent).Set(float64(queued))
}

func (m *memberMetrics) propagated(took time.Duration) { m.all.propagation.Observe(took.Seconds()) }

func (m *memberMetrics) forget() {
	series := prometheus.Labels{"agent": m.agent}
	m.all.writes.DeletePartialMatch(series)
	m.all.errors.DeletePartialMatch(series)
	m.all.derived.DeletePartialMatch(series)
	m.all.queue.DeletePartialMatch(series)
}
