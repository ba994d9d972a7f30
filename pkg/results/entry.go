package results

import "strings"

// Entry is what a parent's checkStatus says of one agent, in the CRD's fields. Its Message begins with a head:
//
//	STATE[, LAST before][, out of sync (REASON)][: text]
//
// where LAST is how the copy fared when something was last heard of it. Empty fields are left out.
type Entry struct {
	ErrorMessage, LastCheck, LastTransitioned, Latency, Message, Uptime string
}

// ReadEntries returns what a parent's status says of its agents, nil where that is nothing. It is what a fanout that starts goes by until
// it has heard from the members: see Agent.Before. Entries without a state are none of fanout's: canary-checker leaves those of its
// checks where a Canary that it ran becomes a parent.
func ReadEntries(status any) map[string]*Entry {
	fields, _ := status.(map[string]any)
	agents, _ := fields["checkStatus"].(map[string]any)
	var entries map[string]*Entry
	for name, value := range agents {
		value, _ := value.(map[string]any)
		if entry := readEntry(value); entry.hasState() {
			if entries == nil {
				entries = make(map[string]*Entry, len(agents))
			}
			entries[name] = entry
		}
	}
	return entries
}

func readEntry(fields map[string]any) *Entry {
	return &Entry{
		ErrorMessage: scalar(fields["errorMessage"]), Message: scalar(fields["message"]),
		LastCheck: scalar(fields["lastCheck"]), LastTransitioned: scalar(fields["lastTransitionedTime"]),
		Latency: scalar(fields["latency1h"]), Uptime: scalar(fields["uptime1h"]),
	}
}

// fields is the entry as JSON has it.
func (e *Entry) fields() map[string]any {
	fields := make(map[string]any, 6)
	e.each(func(name, value string) { fields[name] = value })
	return fields
}

// each calls do for the fields that are not empty, in the order of their names.
func (e *Entry) each(do func(name, value string)) {
	for _, field := range [...]struct{ name, value string }{
		{"errorMessage", e.ErrorMessage}, {"lastCheck", e.LastCheck}, {"lastTransitionedTime", e.LastTransitioned},
		{"latency1h", e.Latency}, {"message", e.Message}, {"uptime1h", e.Uptime},
	} {
		if field.value != "" {
			do(field.name, field.value)
		}
	}
}

// read is what a copy's status and an entry have in common, without its message.
func (e *Entry) read() Result {
	r := Result{Error: e.ErrorMessage}
	var ok bool
	if r.LastCheck, ok = parseStamp(e.LastCheck); !ok && e.LastCheck != "" {
		r.odd().LastCheck = clip(e.LastCheck, maxOdd)
	}
	r.Transitioned, _ = parseStamp(e.LastTransitioned)
	uptime, latency := clip(e.Uptime, maxOdd), clip(e.Latency, maxOdd)
	if r.Passed, r.Runs, _ = parseUptime(uptime); uptime != r.uptime() {
		r.odd().Uptime = uptime
	}
	if r.Latency, r.Timed = parseLatency(latency); latency != r.latency() {
		r.odd().Latency = latency
	}
	return r
}

// result is what the copy said when the entry was written.
func (e *Entry) result() Result {
	r := e.read()
	head, text := e.head()
	if r.Outcome = head.last; head.state == head.last {
		r.fit(text)
	} else {
		r.fit("")
	}
	return r
}

// head is what an entry's message begins with.
type head struct {
	state, last State
	out         string // the reason, empty where it is not known to be out of sync
}

// of makes a message.
func (h head) of(text string) string {
	message := h.state.String()
	if h.last != h.state && h.last != Pending {
		message += ", " + h.last.String() + " before"
	}
	if h.out != "" {
		message += ", out of sync (" + h.out + ")"
	}
	return join(message, text)
}

// hasState tells whether the message is one that fanout may have written.
func (e *Entry) hasState() bool {
	end := strings.IndexAny(e.Message+":", ":,")
	_, ok := parseState(e.Message[:end])
	return ok
}

// head takes the message apart again. What fanout did not write is Pending.
func (e *Entry) head() (h head, text string) {
	begin, text, _ := strings.Cut(e.Message, ": ")
	state, rest, _ := strings.Cut(begin, ", ")
	h.state, _ = parseState(state)
	switch h.state {
	case Passed, Failed, Invalid:
		h.last = h.state
	}
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, ", ")
		if last, ok := strings.CutSuffix(part, " before"); ok {
			h.last, _ = parseState(last)
		} else if reason, ok := strings.CutPrefix(part, "out of sync ("); ok {
			h.out = word(strings.TrimSuffix(reason, ")"))
		}
	}
	return h, text
}

// Bounds of an entry's texts; an error has maxTexts.
const (
	maxMessage = 480
	maxDetail  = 400 // of it, what comes after the head
)

// bounded is the entry without what fanout would not write, for one that anybody may have changed.
func (e *Entry) bounded() *Entry {
	r := e.read()
	return &Entry{
		ErrorMessage: clip(e.ErrorMessage, maxTexts), Message: clip(e.Message, maxMessage),
		LastCheck: r.LastCheck.String(), LastTransitioned: r.Transitioned.String(),
		Latency: r.latency(), Uptime: r.uptime(),
	}
}

// inSync tells whether the copy is known to be as the parent asks.
func (h head) inSync() bool { return h.out == "" && h.state != Missing && h.state != Unreachable }
