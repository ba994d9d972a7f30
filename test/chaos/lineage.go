package chaos

import "fmt"

// lineage is what became of one parent in the hub, by its UID: what each generation selected, and whether it is gone.
// The harness adds to it before it sends what it is about to do, so that whatever fanout can know of is in it.
type lineage struct {
	generations []generation // the first is 1
	gone        bool
}

type generation struct {
	selector []string
	invalid  bool
}

// lineages are all parents of a round, by UID.
type lineages map[string]*lineage

// excuse returns why a copy may be deleted that was created for agent from that generation of the parent, empty where
// nothing has ever unwanted it: then the deletion is wrong, even if the copy is created again.
func (l lineages) excuse(uid string, from int64, agent string) string {
	line := l[uid]
	switch {
	case line == nil:
		return "its parent is not known"
	case line.gone:
		return "its parent is gone"
	}
	for i, g := range line.generations {
		if n := int64(i + 1); n >= from && !g.invalid && !selects(g.selector, agent) {
			return fmt.Sprintf("generation %d does not select %s", n, agent)
		}
	}
	return ""
}
