package clusters

import "errors"

// State is where a member stands. Its values are those of the metric fanout_members and the reasons of the
// Events on the member's Secret.
type State string

// The states of a member.
const (
	Connecting   State = "Connecting"   // not yet reached
	Connected    State = "Connected"    // works
	Unreachable  State = "Unreachable"  // does not answer, or not as a Kubernetes API
	Unauthorized State = "Unauthorized" // answers 401
	Forbidden    State = "Forbidden"    // answers 403
	Refused      State = "Refused"      // its Secret is not acceptable
	Leaving      State = "Leaving"      // being deregistered
)

// Elsewhere is what a Handler is told of a member that another replica works with.
const Elsewhere State = "Elsewhere"

var states = []State{Connecting, Connected, Unreachable, Unauthorized, Forbidden, Refused, Leaving}

var (
	errUnreachable  = errors.New("unreachable")
	errUnauthorized = errors.New("unauthorized")
	errForbidden    = errors.New("forbidden")
	errRefused      = errors.New("refused")
)

// StateOf is the state that a member is in whose probe, or whose Secret, gave err.
func StateOf(err error) State {
	switch {
	case errors.Is(err, errRefused):
		return Refused
	case errors.Is(err, errUnauthorized):
		return Unauthorized
	case errors.Is(err, errForbidden):
		return Forbidden
	default:
		return Unreachable
	}
}
