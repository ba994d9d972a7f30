package fanout

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fanout/pkg/results"
)

// maxNamespaces bounds the series of fanout_results: what is in other namespaces counts as otherNamespaces.
const (
	maxNamespaces   = 50
	otherNamespaces = "other"
)

// resultsCollector counts agents by state when it is asked to. It says nothing while nobody knows.
type resultsCollector struct {
	results, oldest *prometheus.Desc

	mu     sync.Mutex
	states func() (byNamespace map[string]results.States, oldest time.Duration)
	// named are the namespaces with series of their own: those that came first, as long as there is anything in them.
	named map[string]bool
}

func newResultsCollector() *resultsCollector {
	return &resultsCollector{
		results: prometheus.NewDesc("fanout_results",
			"Copies of the parents in a namespace of the hub, by the state that their parents' statuses show.", []string{"parent_namespace", "state"}, nil),
		oldest: prometheus.NewDesc("fanout_results_oldest_seconds",
			"How long the agent has been away that has been away for longest; what is shown of its copies is at least that old. 0 where none is.", nil, nil),
		named: map[string]bool{},
	}
}

// follow has the numbers come from states, until done is called.
func (c *resultsCollector) follow(states func() (map[string]results.States, time.Duration)) (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states = states
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.states = nil
	}
}

// Describe implements prometheus.Collector.
func (c *resultsCollector) Describe(descs chan<- *prometheus.Desc) {
	descs <- c.results
	descs <- c.oldest
}

// Collect implements prometheus.Collector.
func (c *resultsCollector) Collect(metrics chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.states == nil {
		return
	}
	byNamespace, oldest := c.states()
	for namespace, states := range c.bounded(byNamespace) {
		for _, state := range results.Worst {
			metrics <- prometheus.MustNewConstMetric(c.results, prometheus.GaugeValue, float64(states[state]), namespace, strings.ToLower(state.String()))
		}
	}
	metrics <- prometheus.MustNewConstMetric(c.oldest, prometheus.GaugeValue, oldest.Seconds())
}

// bounded puts what is too much together.
func (c *resultsCollector) bounded(byNamespace map[string]results.States) map[string]results.States {
	for namespace := range c.named {
		if _, still := byNamespace[namespace]; !still {
			delete(c.named, namespace)
		}
	}
	bounded := map[string]results.States{}
	for _, namespace := range slices.Sorted(maps.Keys(byNamespace)) {
		name := namespace
		switch {
		case c.named[namespace]:
		case len(c.named) < maxNamespaces:
			c.named[namespace] = true
		default:
			name = otherNamespaces
		}
		sum := bounded[name]
		for state, n := range byNamespace[namespace] {
			sum[state] += n
		}
		bounded[name] = sum
	}
	return bounded
}
