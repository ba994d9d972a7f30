package results

import (
	"cmp"
	"strings"
)

// line is one agent as the parent's status has it. Its texts are made when they are asked for: of many agents few are listed.
type line struct {
	name string
	head
	text   string // what comes after the head
	result Result
	// before is the entry that is shown as it was, nil for most.
	before *Entry
	// unknown says that nothing is known of it yet, so that the whole says less than it will in a moment.
	unknown bool
}

func lineOf(a *Agent, p *Parent, c *clock) line {
	l := line{name: a.Name, result: a.result()}
	if a.Unheard && a.Before != nil {
		l.before = a.Before.bounded()
		l.head, l.text = l.before.head()
		return l
	}
	l.unknown = a.Unheard
	l.state, l.text = a.state(p, &l.result, c)
	l.last, l.out = l.result.Outcome, word(a.out().Reason)
	return l
}

// entry is the line in checkStatus.
func (l *line) entry() *Entry {
	if l.before != nil {
		return l.before
	}
	r := &l.result
	return &Entry{
		ErrorMessage: r.Error, Message: l.head.of(clip(l.text, maxDetail)), Uptime: r.uptime(), Latency: r.latency(),
		LastCheck: r.believed(r.LastCheck).String(), LastTransitioned: r.believed(r.Transitioned).String(),
	}
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

// isTrouble tells whether there is anything to tell a person who asks for errors.
func (l *line) isTrouble() bool {
	switch {
	case l.state.failing(), l.state == Unreachable, l.state == Missing, l.state == Stale:
		return true
	case l.out != "":
		return l.out != Waiting
	default:
		return l.state == Pending && l.text != "" && !l.unknown
	}
}

// trouble is what there is to tell.
func (l *line) trouble() string {
	text := clip(l.text, maxDetail)
	switch {
	case l.state.failing():
		return cmp.Or(l.result.Error, text, strings.ToLower(l.state.String()))
	case l.state == Unreachable:
		return join("unreachable", text)
	default:
		return join(l.out, text)
	}
}
