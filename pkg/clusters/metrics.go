package clusters

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts members by state.
type Metrics struct {
	members *prometheus.GaugeVec

	mu    sync.Mutex
	state map[string]State
}

// NewMetrics registers the registry's metrics.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		members: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "fanout_members",
			Help: "Registered members, by state.",
		}, []string{"state"}),
		state: map[string]State{},
	}
	for _, state := range states {
		m.members.WithLabelValues(string(state))
	}
	registry.MustRegister(m.members)
	return m
}

// enter counts agent under state and no longer under the one before.
func (m *Metrics) enter(agent string, state State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, known := m.state[agent]; known {
		m.members.WithLabelValues(string(before)).Dec()
	}
	m.state[agent] = state
	m.members.WithLabelValues(string(state)).Inc()
}

// forgetAll takes back what enter counted, when nobody looks after members any more.
func (m *Metrics) forgetAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for agent, before := range m.state {
		m.members.WithLabelValues(string(before)).Dec()
		delete(m.state, agent)
	}
}

func (m *Metrics) forget(agent string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, known := m.state[agent]; known {
		m.members.WithLabelValues(string(before)).Dec()
		delete(m.state, agent)
	}
}
