package fanout

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// plan says which parents' copies are mirrored: all of a parent's or none, and older parents first, so that it is the same after a restart.
type plan struct {
	limit  int
	counts map[types.NamespacedName]counted
	kept   map[types.NamespacedName]bool
}

type counted struct {
	created time.Time
	agents  int
}

func newPlan(limit int) plan {
	return plan{limit: limit, counts: map[types.NamespacedName]counted{}, kept: map[types.NamespacedName]bool{}}
}

// count notes that a parent has so many agents, and returns the parents for which something else is planned than before.
func (p *plan) count(parent types.NamespacedName, created time.Time, agents int) (changed []types.NamespacedName) {
	next := counted{created: created, agents: agents}
	if p.counts[parent] == next && (p.kept[parent] || agents > 0) {
		return nil
	}
	p.counts[parent] = next
	return p.decide()
}

// forget notes that there is no such parent.
func (p *plan) forget(parent types.NamespacedName) (changed []types.NamespacedName) {
	if _, known := p.counts[parent]; !known {
		return nil
	}
	delete(p.counts, parent)
	return p.decide()
}

func (p *plan) decide() (changed []types.NamespacedName) {
	order := make([]types.NamespacedName, 0, len(p.counts))
	for parent := range p.counts {
		order = append(order, parent)
	}
	slices.SortFunc(order, func(a, b types.NamespacedName) int {
		return cmp.Or(p.counts[a].created.Compare(p.counts[b].created), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	left := p.limit
	kept := make(map[types.NamespacedName]bool, len(order))
	for _, parent := range order {
		if agents := p.counts[parent].agents; agents <= left {
			left -= agents
			kept[parent] = true
		}
		if kept[parent] != p.kept[parent] {
			changed = append(changed, parent)
		}
	}
	p.kept = kept
	return changed
}
