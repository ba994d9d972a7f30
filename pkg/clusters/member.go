package clusters

import (
	"context"
	"time"

	"k8s.io/client-go/rest"

	"fanout/pkg/selector"
)

// Member is a cluster that was reached and has proven who it is.
type Member struct {
	// Agent is the member's name, as its Secret says.
	Agent string
	// Labels are those by which selectors find it. Relabel brings others.
	Labels map[string]string
	// ID is the UID of the cluster's kube-system Namespace.
	ID string
	// Client stays valid while the Handler has the member: when the Secret brings a new credential for the same
	// cluster, it goes over to that without a break. It is what dynamic.New makes a dynamic client of.
	Client rest.Interface
	// Namespaces are those of the hub that may put something into the member. They stay the same while the Handler has
	// the member: for others it is taken back and handed over anew.
	Namespaces selector.Namespaces
	// Warn puts an Event on the member's Secret; nil where there is none.
	Warn func(reason, message string)
	// Redact takes the member's credentials out of what is to be printed; nil where there are none.
	Redact func(string) string
}

// Missing is an agent that is registered and can't be worked with.
type Missing struct {
	Agent string
	// Labels are the last known, nil where they are not known.
	Labels map[string]string
	// State is Connecting until the member was asked for the first time, Elsewhere where another replica works with it, and Leaving where
	// the agent is being deregistered.
	State State
	// Detail is what is wrong, and what to do.
	Detail string
	// Since is when that began.
	Since time.Time
}

// Handler is told of members as they come and go. For one agent the calls come one after the other; for
// several they come at the same time.
type Handler interface {
	// Join hands over a member, to be worked with until Leave. It does not block.
	Join(context.Context, *Member)
	// Relabel tells that a member that is joined has other labels from now on. It does not block.
	Relabel(agent string, labels map[string]string)
	// Leave takes a member back, for whatever reason. It returns when nothing more is done with it.
	Leave(agent string)
	// Miss tells of an agent that is registered and not joined, and of how it is doing. That counts until the next Miss, Join or
	// Forget.
	Miss(Missing)
	// Forget tells that no Secret registers the agent any more. It comes after Leave.
	Forget(agent string)
	// Depart tells, after Forget, of an agent that is being deregistered and whose Secret, which known names, waits for the member to be
	// clean. Its State is Leaving. Another Secret may register the agent meanwhile. That counts until the next Depart with the same Secret, or
	// Departed. It does not block.
	Depart(leaving Missing, known *Particulars)
	// Departed tells that nothing more is done for the sake of that Secret.
	Departed(secret string)
	// Note tells what else is known of an agent that was joined or missed. That counts until the next Note, or Forget. It does not block.
	// Nobody changes what known points at.
	Note(agent string, known *Particulars)
	// Reported tells that the Events of an agent are others than before. It may come at any time, and does not block.
	Reported()
	// Complete tells, once, that every agent has been joined or missed that was registered at first.
	Complete()
	// Drain removes from a member that is not joined all that was put there, and returns nil when nothing is
	// left. It gives up when ctx ends, with an error that says what is left.
	Drain(context.Context, *Member) error
}
