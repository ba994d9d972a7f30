package fanout

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"fanout/pkg/fanout/fanouttest"
)

func TestParentsAreCountedByTheirSelector(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	valid := parentOf(t, aParent())
	invalid := parentOf(t, aParent(withSelector([]any{"["})))
	none := parentOf(t, aParent(withoutSpec("agentSelector")))

	for _, step := range []struct {
		old, new *parent
		want     []string
	}{
		{nil, valid, []string{"selector=valid 1"}},
		{nil, valid, []string{"selector=valid 2"}},
		{nil, none, []string{"selector=valid 2"}},
		{valid, valid, []string{"selector=valid 2"}},
		{valid, invalid, []string{"selector=invalid 1", "selector=valid 1"}},
		{none, valid, []string{"selector=invalid 1", "selector=valid 2"}},
		{valid, none, []string{"selector=invalid 1", "selector=valid 1"}},
		{invalid, nil, []string{"selector=invalid 0", "selector=valid 1"}},
		{valid, nil, []string{"selector=invalid 0", "selector=valid 0"}},
	} {
		m.parentChanged(step.old, step.new)
		mustEqual(t, "fanout_parents", fanouttest.Series(t, registry, "fanout_parents"), step.want)
	}
}
