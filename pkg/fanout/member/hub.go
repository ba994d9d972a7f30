package member

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/fanout/derive"
)

// Hub is what a Member is told by the hub that it belongs to. All methods may be called at the same time.
type Hub interface {
	// Synced is closed once the hub's Canaries are known. Before that nothing is written and nothing pruned.
	Synced() <-chan struct{}
	// Demand says what should stand at key in the member.
	Demand(key types.NamespacedName) Demand
	// ConfirmVanished returns an error that is ErrHubUnknown unless the hub, asked after since, can be believed that a parent it
	// does not list is gone, where the copy was created then.
	ConfirmVanished(ctx context.Context, since, created time.Time) error
	// Warn tells the owner of the parent of the copy at key what is wrong with that copy, if there is a parent.
	Warn(key types.NamespacedName, reason, message string)
	// Heard tells that Report says something else of the copy at key than before, and whether that is a transition: more than that a
	// time or a number went on.
	Heard(key types.NamespacedName, transition bool)
	// HeardAll tells that it may do so of every place.
	HeardAll()
}

// ErrHubUnknown says that the hub can't be believed about what it does not list.
var ErrHubUnknown = errors.New("the hub's Canaries are not known for certain, so nothing is pruned")

// Demand is what the hub asks of one place in a member. The zero Demand is that nothing should stand there, and that the hub
// has no parent for it.
type Demand struct {
	// Copy is what should stand there; where it is none nothing should.
	derive.Copy
	// Frozen means that the hub can't say (the parent's selector is invalid): leave what is there as it is.
	Frozen bool
	// Parent is what the hub has where the copy's parent would be.
	Parent Parent
	// Seen is when the hub's side learned of this version of the parent.
	Seen time.Time
}

// Parent says what a hub has of a copy's parent.
type Parent int

const (
	// NoParent means that the hub lists none.
	NoParent Parent = iota
	// LeavingParent is one that is being deleted.
	LeavingParent
	// SomeParent is a Canary, whether or not it asks for the copy.
	SomeParent
)
