package shard

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
)

// View is a set of replicas, by name and in order, among which members are divided.
type View []string

// NewView returns the view of those replicas.
func NewView(replicas ...string) View {
	return slices.Compact(slices.Sorted(slices.Values(replicas)))
}

// ParseView reads what String wrote.
func ParseView(text string) View {
	return NewView(strings.FieldsFunc(text, func(r rune) bool { return r == ',' })...)
}

// String is the view's replicas with commas between them.
func (v View) String() string { return strings.Join(v, ",") }

// Owner returns the replica that the view gives key to, "" where it has none. It is rendezvous hashing: each replica draws a
// lot for the key, and the highest has it. So a replica that joins takes from all others alike, what one has that leaves goes
// to all others alike, and nothing else moves. The answer must never change from one version of fanout to the next: replicas
// of both work side by side during an upgrade.
func (v View) Owner(key string) string {
	var owner string
	var highest uint64
	for _, replica := range v {
		if lot := lotOf(replica, key); owner == "" || lot > highest {
			owner, highest = replica, lot
		}
	}
	return owner
}

func lotOf(replica, key string) uint64 {
	sum := sha256.Sum256([]byte(replica + "\x00" + key))
	return binary.BigEndian.Uint64(sum[:8])
}
