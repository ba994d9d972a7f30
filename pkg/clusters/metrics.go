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
	state map[string]State  // by the name of the Secret
	ends  map[string]ending // by agent
}

// ending is when the credential in use for an agent ends, and the Secret that it is from.
type ending struct {
	secret string
	at     time.Time
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
		ends:  map[string]ending{},
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
		metrics <- prometheus.MustNewConstMetric(m.ttl, prometheus.GaugeValue, end.at.Sub(now).Seconds(), agent)
	}
}

// enter counts the Secret's member under state and no longer under the one before.
func (m *Metrics) enter(secret string, state State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, known := m.state[secret]; known {
		m.members.WithLabelValues(string(before)).Dec()
	}
	m.state[secret] = state
	m.members.WithLabelValues(string(state)).Inc()
}

// forgetAll takes back what was noted, when nobody looks after members any more.
func (m *Metrics) forgetAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for secret, before := range m.state {
		m.members.WithLabelValues(string(before)).Dec()
		delete(m.state, secret)
	}
	clear(m.ends)
}

// expires says when the credential that is in use for agent, from the Secret, ends.
func (m *Metrics) expires(agent, secret string, end time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ends[agent] = ending{secret: secret, at: end}
}

// expiresNot says that it has no known end, or that there is none. The series of another Secret stays.
func (m *Metrics) expiresNot(agent, secret string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ends[agent].secret == secret {
		delete(m.ends, agent)
	}
}

func (m *Metrics) forget(secret string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, known := m.state[secret]; known {
		m.members.WithLabelValues(string(before)).Dec()
		delete(m.state, secret)
	}
}
