package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// operation is one step of a round. What it means follows from its kind and numbers and from the state it meets, so
// that a list of operations still makes sense when others are taken out of it.
type operation struct {
	kind  string
	n     numbers
	pause time.Duration // after it
}

// numbers are what an operation chooses by.
type numbers [4]int

func (o operation) String() string { return fmt.Sprintf("%s %v", o.kind, [4]int(o.n)) }

// kind is something that can happen. Do returns what it did, for the history.
type kind struct {
	name   string
	weight int
	do     func(*round, numbers) string
}

func kinds() []kind {
	return []kind{
		{"set parent", 24, (*round).setParent},
		{"describe parent", 6, (*round).describeParent},
		{"spoil selector", 4, (*round).spoilSelector},
		{"spoil and mend selector", 8, (*round).spoilAndMendSelector},
		{"delete parent", 8, (*round).deleteParent},

		{"register", 5, (*round).register},
		{"register a twin", 2, (*round).registerTwin},
		{"deregister", 3, (*round).deregister},
		{"unlabel", 1, (*round).unlabel},
		{"rotate", 4, (*round).rotate},
		{"label", 8, (*round).label},
		{"label and label back", 4, (*round).labelAndBack},
		{"spoil credential", 3, (*round).spoilCredential},
		{"lead elsewhere", 2, (*round).leadElsewhere},

		{"stranger comes", 5, (*round).strangerComes},
		{"stranger takes over", 3, (*round).strangerTakesOver},
		{"stranger edits its own", 2, (*round).strangerEdits},
		{"stranger goes", 3, (*round).strangerGoes},
		{"stranger before a write", 4, (*round).strangerBeforeWrite},
		{"stranger before a delete", 4, (*round).strangerBeforeDelete},
		{"adopt", 3, (*round).adopt},
		{"disown a copy", 2, (*round).disown},
		{"edit a copy", 8, (*round).editCopy},
		{"add to a copy", 8, (*round).addToCopy},
		{"delete a copy", 4, (*round).deleteCopy},
		{"hold a copy", 3, (*round).holdCopy},
		{"release copies", 3, (*round).releaseCopies},

		{"canary-checker comes or goes", 4, (*round).checkerComesOrGoes},

		{"remove a member's CRD", 1, (*round).removeMemberCRD},
		{"install CRDs", 3, (*round).installCRDs},
		{"remove the hub's CRD", 1, (*round).removeHubCRD},
		{"delete a member's namespace", 1, (*round).deleteMemberNamespace},
		{"delete the hub's namespace", 1, (*round).deleteHubNamespace},

		{"kill fanout", 2, (*round).killFanout},
		{"stop fanout", 2, (*round).stopFanout},
		{"start fanout", 4, (*round).startFanout},

		{"fault of a member", 14, (*round).memberFault},
		{"fault of the hub", 3, (*round).hubFault},
	}
}

// generate returns the operations of the round with that seed. Each round has its own mind: some kinds don't happen in it,
// others often, so that what one kind would disturb is tried without it too. All are the kinds that there are.
func generate(seed int64, count int, all []kind) []operation {
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	all = slices.Clone(all)
	total := 0
	for i := range all {
		all[i].weight *= []int{0, 2, 2, 2, 2, 6}[random.IntN(6)]
		if all[i].name == "set parent" {
			all[i].weight = max(all[i].weight, 48) // without parents nothing happens
		}
		total += all[i].weight
	}
	operations := make([]operation, count)
	for i := range operations {
		choice := random.IntN(total)
		if i < count/15 {
			choice = 0 // parents first, so that what follows finds something to meet
		}
		for _, k := range all {
			if choice -= k.weight; choice < 0 {
				operations[i].kind = k.name
				break
			}
		}
		for n := range operations[i].n {
			operations[i].n[n] = random.IntN(1 << 16)
		}
		operations[i].pause = time.Duration(random.IntN(60)) * time.Millisecond
		if random.IntN(10) == 0 {
			operations[i].pause = time.Duration(random.IntN(600)) * time.Millisecond
		}
	}
	return operations
}
