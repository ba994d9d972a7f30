package preview

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/api"
)

// Decide says what would be done where that stands in a target's place. Wanted is the copy to be and was the one that the parent asks for
// now, each nil where there is none; hub is this hub's ID.
func (t *Target) Decide(hub string, found api.Found, wanted, was *unstructured.Unstructured) Copy {
	c := t.Copy
	switch {
	case !found.Exists && t.Selected:
		c.Action = Create
	case !found.Exists:
		c.Action = None
	case found.Owner != hub && t.Selected:
		c.Action, c.Reason = Conflict, "Conflict"
		if c.Detail = "it was not created by fanout"; found.Owner != "" {
			c.Detail = fmt.Sprintf("it belongs to the hub with ID %q", found.Owner)
		}
	case found.Owner != hub:
		c.Action = None
	case found.Terminating:
		c.Action, c.Reason, c.Detail = Wait, "Terminating", "it is being deleted, held by "+strings.Join(found.Finalizers, ", ")
	case !t.Selected:
		c.Action = Prune
	case wanted == nil:
		c.Action, c.Detail = Unknown, "what it would be is not known"
	default:
		after := After(found.Canary, wanted, was)
		if c.Diff = Diff(lines(found.Canary), lines(after)); c.Diff == "" {
			c.Action = None
		} else {
			c.Action = Change
		}
	}
	return c
}

// Unknowable is the copy of an agent where no look could be taken.
func (t *Target) Unknowable(why string) Copy {
	c := t.Copy
	c.Action, c.Detail = Unknown, why
	return c
}
