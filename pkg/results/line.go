package results

import (
	"cmp"
	"strings"
)

// line is one agent as the parent's status has it.
type line struct {
	name string
	Entry
	head
	text   string // of the entry's message, without the head
	result Result
	// unknown says that nothing is known of it yet, so that the whole says less than it will in a moment.
	unknown bool
}

func lineOf(a *Agent, p *Parent, c *clock) line {
	l := line{name: a.Name, result: a.result()}
	if a.Unheard && a.Before != nil {
		l.Entry = a.Before.bounded()
		l.head, l.text = l.Entry.head()
		return l
	}
	l.unknown = a.Unheard
	l.state, l.text = a.state(p, &l.result, c)
	l.last, l.out, l.text = l.result.Outcome, word(a.out().Reason), clip(l.text, maxDetail)
	r := &l.result
	l.Entry = Entry{
		ErrorMessage: r.Error, Message: l.head.of(l.text), Uptime: r.uptime(), Latency: r.latency(),
		LastCheck: r.believed(r.LastCheck).String(), LastTransitioned: r.believed(r.Transitioned).String(),
	}
	return l
}

// compare orders lines as they are listed: the worst first, then what is out of sync, then by name.
func (l *line) compare(other *line) int {
	if order := cmp.Compare(l.rank(), other.rank()); order != 0 {
		return order
	}
	return strings.Compare(l.name, other.name)
}

func (l *line) rank() int {
	rank := 2 * l.state.rank()
	if l.inSync() {
		rank++
	}
	return rank
}

func (l *line) inSync() bool { return !l.unknown && l.head.inSync() }

// isCurrent tells whether its uptime and latency are those of the last hour, as far as fanout can tell.
func (l *line) isCurrent() bool { return l.state == Passed || l.state.failing() }

// trouble is what there is to tell a person who asks for errors, empty where there is nothing.
func (l *line) trouble() string {
	switch {
	case l.state.failing():
		return cmp.Or(l.ErrorMessage, l.text, strings.ToLower(l.state.String()))
	case l.state == Unreachable:
		return join("unreachable", l.text)
	case l.out == Waiting:
		return ""
	case l.out != "":
		return join(l.out, l.text)
	case l.state == Stale, l.state == Pending && !l.unknown:
		return l.text
	default:
		return ""
	}
}
