package page

import (
	"html/template"
	"math"
	"strconv"
	"time"

	"fanout/pkg/api"
)

// cell is one Canary on one agent. The zero cell is that it does not select it.
type cell struct {
	since, checked uint32 // seconds since 1970, 0 where not known
	latency        uint32 // in milliseconds, noLatency where not known
	passed, runs   uint16 // the latter 0 where not known
	look           uint8  // 1 + the place in looks; there is none where it is 0
	flags          uint8
}

const noLatency = math.MaxUint32

const (
	flagOut uint8 = 1 << iota
	flagInSync
)

// cellOf returns the cell of a copy.
func cellOf(c *api.Copy) cell {
	made := cell{since: seconds(sinceOf(c)), checked: seconds(c.LastCheck), latency: noLatency, look: uint8(lookOf(c.State).rank) + 1}
	if c.LatencyMillis != nil {
		made.latency = min(*c.LatencyMillis, noLatency-1)
	}
	if c.Passed != nil && c.Runs != nil {
		made.passed, made.runs = uint16(min(*c.Passed, math.MaxUint16)), uint16(min(*c.Runs, math.MaxUint16))
	}
	if c.OutOfSync != nil {
		made.flags |= flagOut
	}
	if c.InSync {
		made.flags |= flagInSync
	}
	return made
}

// sinceOf is since when a copy fares as it does, as far as that is known.
func sinceOf(c *api.Copy) *time.Time {
	switch {
	case c.Away != nil && c.Away.Since != nil:
		return c.Away.Since
	case c.State == "Missing" && c.OutOfSync != nil && c.OutOfSync.Since != nil:
		return c.OutOfSync.Since
	case c.LastTransition != nil:
		return c.LastTransition
	default:
		return c.LastCheck
	}
}

func seconds(t *time.Time) uint32 {
	if t == nil {
		return 0
	}
	return uint32(max(0, min(t.Unix(), math.MaxUint32)))
}

func (c cell) isThere() bool { return c.look > 0 }
func (c cell) isOut() bool   { return c.flags&flagOut != 0 }

// state is how it looks.
func (c cell) state() look {
	if c.look == 0 || int(c.look) > len(looks) {
		return unknownLook
	}
	return looks[c.look-1]
}

func (c cell) isTrouble() bool { return c.isThere() && (c.state().bad || c.isOut()) }

// appendHTML appends the cell of a table: a class, which brings the sign; words for those who do not see it; its age. Thousands of them are
// made at once, of nothing but words of this package and digits, so they do not go through a template.
func (c cell) appendHTML(html []byte, now time.Time) []byte {
	if !c.isThere() {
		return append(html, "<td class=s-none><b>not selected</b>\n"...)
	}
	l := c.state()
	html = append(append(html, `<td class="`...), l.Class...)
	words := l.Name
	if c.isOut() {
		html = append(html, " out"...)
		words += ", out of sync"
	}
	html = append(append(append(html, `"><b>`...), words...), "</b> "...)
	html = append(html, age(now, int64(c.since))...)
	return append(html, '\n')
}

// tally is how many cells there are in each state.
type tally struct {
	of    [16]int // by place in looks
	total int
	out   int
	bad   int
}

func (t *tally) add(c cell) {
	if !c.isThere() {
		return
	}
	t.total++
	t.of[(c.look-1)&15]++
	if c.isOut() {
		t.out++
	}
	if c.isTrouble() {
		t.bad++
	}
}

// worst is the state of the whole: the worst of all.
func (t *tally) worst() (l look, n int) {
	for rank, l := range looks {
		if t.of[rank] > 0 {
			return l, t.of[rank]
		}
	}
	return unknownLook, 0
}

// appendHTML appends the cell of a group of agents: its worst state, and how many of them are in it.
func (t *tally) appendHTML(html []byte) []byte {
	if t.total == 0 {
		return cell{}.appendHTML(html, time.Time{})
	}
	l, n := t.worst()
	html = append(append(html, `<td class="`...), l.Class...)
	words := l.Name
	if t.out > 0 {
		html = append(html, " out"...)
		words += ", " + strconv.Itoa(t.out) + " out of sync"
	}
	html = append(append(append(html, `"><b>`...), words...), "</b> "...)
	html = strconv.AppendInt(html, int64(n), 10)
	if n < t.total {
		html = append(html, '/')
		html = strconv.AppendInt(html, int64(t.total), 10)
	}
	return append(html, '\n')
}

// age is how long ago that was, in one unit.
func age(now time.Time, then int64) string {
	if then == 0 {
		return ""
	}
	switch d := now.Unix() - then; {
	case d < 60:
		return "now"
	case d < 60*60:
		return strconv.FormatInt(d/60, 10) + "m"
	case d < 48*60*60:
		return strconv.FormatInt(d/(60*60), 10) + "h"
	default:
		return strconv.FormatInt(min(d/(24*60*60), 9999), 10) + "d"
	}
}

// cells is a row of a table's cells that appendHTML made.
func cells(html []byte) template.HTML { return template.HTML(html) }
