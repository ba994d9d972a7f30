package chaos

import (
	"fmt"
	"time"
)

// lineage is what became of one parent in the hub, by its UID: what each generation selected, and whether it is gone.
// The harness adds to it before it sends what it is about to do, so that whatever fanout can know of is in it.
type lineage struct {
	at          place
	generations []generation // the first is 1
	gone        bool
	orphaned    time.Time // since when it is gone with the hub's CRD, zero where it is not: no reason for older copies to go
}

type generation struct {
	selector []string
	invalid  bool
}

// lineages are all parents of a round, by UID.
type lineages map[string]*lineage

// excuse returns why a copy may be deleted that was created then, for agent, from that generation of the parent, empty where
// nothing has ever unwanted it: then the deletion is wrong, even if the copy is created again. A copy does not tell by which of
// the labels that its agent has had it was created, so each of them is a reason.
func (l lineages) excuse(uid string, from int64, agent string, had []labels, created time.Time) string {
	line := l[uid]
	switch {
	case line == nil:
		return "its parent is not known"
	case line.gone:
		return "its parent is gone"
	case !line.orphaned.IsZero() && !created.Before(line.orphaned):
		return "its parent went with the hub's CRD, and it came later"
	}
	for i, g := range line.generations {
		for _, has := range had {
			if n := int64(i + 1); n >= from && !g.invalid && !selects(g.selector, agent, has) {
				return fmt.Sprintf("generation %d does not select %s with the labels %v", n, agent, has)
			}
		}
	}
	return ""
}

// succeed notes that there is another parent at a place: what becomes of copies there is for that one to say.
func (l lineages) succeed(at place, uid string, first generation) {
	for _, line := range l {
		line.gone = line.gone || line.at == at
	}
	l[uid] = &lineage{at: at, generations: []generation{first}}
}
