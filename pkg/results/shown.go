package results

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// Shown is what a parent's status says, in little. It is read from the status alone, so that a fanout which starts goes on
// where the last one ended. The zero Shown is that of a parent without a status.
type Shown struct {
	State        State
	Transitioned Stamp
	// Agents is how many there are, InSync and Out how many of them are known to be in sync and out of it.
	Agents, InSync, Out int
	// Failing are the agents whose last result is known to fail, in order, of which Shown keeps no more than maxFailing; MoreFailing
	// says that there are others.
	Failing     []string
	MoreFailing bool
	// Generation is that of the parent for which the status was made, 0 where that was not in this process.
	Generation int64
	// Whole identifies all that the status says, and Shape what of it is a transition: states, numbers, and who is in sync and why not.
	Whole, Shape Digest
}

// Digest identifies a text. The zero Digest is that of none.
type Digest [16]byte

// maxFailing bounds the memory of a Shown. Where more fail, one more is no news.
const maxFailing = 50

// scalars are the fields of a status that are fanout's, but for checkStatus. Those that make its shape come first.
var scalars = [...]string{"status", "message", "errorMessage", "lastCheck", "lastTransitionedTime", "uptime1h", "latency1h"}

const shaping = 2

var (
	inSyncIn    = regexp.MustCompile(`; (\d{1,9}) in sync\b`)
	agentsIn    = regexp.MustCompile(`(?:^|; )(\d{1,9}) agents?\b`)
	outOfSyncIn = regexp.MustCompile(`, (\d{1,9}) out of sync\b`)
)

// ReadShown reads a parent's status as it came out of JSON.
func ReadShown(status any) Shown {
	fields, _ := status.(map[string]any)
	entries := ReadEntries(status)
	var s Shown
	s.State, _ = parseState(scalar(fields["status"]))
	s.Transitioned, _ = parseStamp(scalar(fields["lastTransitionedTime"]))
	message := scalar(fields["message"])
	s.Agents, s.InSync, s.Out = find(agentsIn, message), find(inSyncIn, message), find(outOfSyncIn, message)

	var whole, shape digester
	for i, field := range scalars {
		whole.add(scalar(fields[field]))
		if i < shaping {
			shape.add(scalar(fields[field]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		entry := entries[name]
		head, _ := entry.head()
		whole.add(name, entry.ErrorMessage, entry.LastCheck, entry.LastTransitioned, entry.Latency, entry.Message, entry.Uptime)
		shape.add(name, head.of(""))
		if head.last.failing() {
			s.MoreFailing = len(s.Failing) == maxFailing
			if !s.MoreFailing {
				s.Failing = append(s.Failing, name)
			}
		}
	}
	s.Whole, s.Shape = whole.sum(), shape.sum()
	return s
}

// find returns the number that pattern finds in text, 0 where it finds none.
func find(pattern *regexp.Regexp, text string) int {
	found := pattern.FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(found[1]) // it has few digits
	return n
}

// digester makes a Digest of texts.
type digester struct {
	text []byte
	some bool
}

func (d *digester) add(texts ...string) {
	for _, text := range texts {
		d.some = d.some || text != ""
		d.text = binary.AppendUvarint(d.text, uint64(len(text)))
		d.text = append(d.text, text...)
	}
}

func (d *digester) sum() (sum Digest) {
	if d.some {
		full := sha256.Sum256(d.text)
		copy(sum[:], full[:])
	}
	return sum
}
