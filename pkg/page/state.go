package page

import (
	"strings"

	"fanout/pkg/api"
	"fanout/pkg/results"
)

// look is how a state looks: never by its colour alone.
type look struct {
	// Name is what is read, Word what stands for it in an address.
	Name, Word string
	// Class is the state's in page.css, where its sign is, too.
	Class string
	rank  int // the worst is 0
	bad   bool
}

// The looks that are no state of docs/results.md's.
var (
	unknownLook = look{Name: "Unknown", Word: "unknown", Class: "s-none", rank: len(results.Worst)}
	outLook     = look{Name: "Out of sync", Word: "out-of-sync", Class: "s-out"}
	badLook     = look{Name: "Any trouble", Word: "trouble", Class: "s-trouble"}
)

// looks are those of all states, the worst first.
var looks = func() (all []look) {
	for rank, state := range results.Worst {
		word := strings.ToLower(state.String())
		bad := state != results.Passed && state != results.Pending && state != results.Paused
		all = append(all, look{Name: state.String(), Word: word, Class: "s-" + word, rank: rank, bad: bad})
	}
	return all
}()

// lookOf returns the look of a state by its name.
func lookOf(state string) look {
	for _, l := range looks {
		if l.Name == state {
			return l
		}
	}
	return unknownLook
}

// lookOfAgent returns how an agent looks by its state.
func lookOfAgent(state string) look {
	switch state {
	case "Connected":
		return look{Name: state, Class: "s-passed"}
	case "Connecting", "Leaving":
		return look{Name: state, Class: "s-pending"}
	case "":
		return unknownLook
	default:
		return look{Name: state, Class: "s-unreachable", bad: true}
	}
}

// isOff tells whether an agent can't be worked with.
func isOff(a *api.Agent) bool { return lookOfAgent(a.State).bad }
