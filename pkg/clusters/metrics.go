package clusters

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
)

// Metrics counts members by state, and tells how long their credentials still last.
type Metrics struct {
	members *prometheus.GaugeVec
	ttl     *prometheus.Desc
	clock   clock.PassiveClock

	mu    sync.Mutex
	state map[string]State
	ends  map[string]time.Time // of the credential in use, by agent
}

// NewMetrics registers the registry's metrics.
func NewMetrics(registry prometheus.Registerer, clock clock.PassiveClock) *Metrics {
	m := &Metrics{
		members: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "fanout_members",
			Help: "Registered members, by state.",
		}, []string{"state"}),
		ttl: prometheus.NewDesc("fanout_credential_ttl_seconds",
			"Seconds until the credential in use for a member expires, negative when it has. Only where that can be told.",
			[]string{"agent"}, nil),
		clock: clock,
		state: map[string]State{},
		ends:  map[string]time.Time{},
	}
	for _, state := range states {
		m.members.WithLabelValues(string(state))
	}
	registry.MustRegister(m)
	return m
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(descs chan<- *prometheus.Desc) {
	m.members.Describe(descs)
	descs <- m.ttl
}

// Collect implements prometheus.Collector: what is left of a credential is reckoned when it is asked for.
func (m *Metrics) Collect(metrics chan<- prometheus.Metric) {
	m.members.Collect(metrics)
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.Now()
	for agent, end := range m.ends {
		metrics <- prometheus.MustNewConstMetric(m.ttl, prometheus.GaugeValue, end.Sub(now).Seconds(), agent)
	}
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

// expires says when the credential in use for agent ends.
func (m *Metrics) expires(agent string, end time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ends[agent] = end
}

// expiresNot says that it has no known end, or that there is none.
func (m *Metrics) expiresNot(agent string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.ends, agent)
}

func (m *Metrics) forget(agent string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, known := m.state[agent]; known {
		m.members.WithLabelValues(string(before)).Dec()
		delete(m.state, agent)
	}
	delete(m.ends, agent)
}
