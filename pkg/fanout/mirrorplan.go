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
	// kept says it of all that there were when that was decided last.
	kept map[types.NamespacedName]bool
}

type counted struct {
	created time.Time
	agents  int
}

func newPlan(limit int) plan {
	return plan{limit: limit, counts: map[types.NamespacedName]counted{}, kept: map[types.NamespacedName]bool{}}
}

// count notes that a parent has so many agents, and returns whether that is news.
func (p *plan) count(parent types.NamespacedName, created time.Time, agents int) (news bool) {
	before, known := p.counts[parent]
	p.counts[parent] = counted{created: created, agents: agents}
	return !known || before != p.counts[parent]
}

// forget notes that there is no such parent, and returns whether that is news.
func (p *plan) forget(parent types.NamespacedName) (news bool) {
	_, known := p.counts[parent]
	delete(p.counts, parent)
	return known
}

// decide returns the parents of which something else is decided than before, or something for the first time.
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
		agents := p.counts[parent].agents
		if kept[parent] = agents <= left; kept[parent] {
			left -= agents
		}
		if before, known := p.kept[parent]; !known || kept[parent] != before {
			changed = append(changed, parent)
		}
	}
	p.kept = kept
	return changed
}
