package fanout

import (
	"github.com/prometheus/client_golang/prometheus"

	"fanout/pkg/fanout/member"
)

// Metrics counts what the controller does.
type Metrics struct {
	members *member.Metrics
	parents *prometheus.GaugeVec
}

// NewMetrics registers the controller's metrics.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		members: member.NewMetrics(registry),
		parents: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "fanout_parents",
			Help: "Canaries of the hub with an agentSelector, by whether it is valid.",
		}, []string{"selector"}),
	}
	registry.MustRegister(m.parents)
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

// forgetParents takes back what parentChanged counted, when nobody watches them any more.
func (m *Metrics) forgetParents() { m.parents.Reset() }
