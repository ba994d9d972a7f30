package member

import (
	"encoding/hex"
	"strconv"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/types"
)

// packed is an observed as it is remembered, at a third of the size: there is one for each copy in each member. The zero packed is of
// no object.
type packed struct {
	uid            uuid.UUID
	hash, content  [16]byte
	version, print uint64
	shared         string
	generation     int32
	created        uint32
	flags          packedFlags
	// whole is the observed itself where it is unlike what Kubernetes and fanout write, and nothing else counts.
	whole *observed
}

type packedFlags uint8

const (
	isPacked packedFlags = 1 << iota
	isTerminating
)

// pack packs o, which may be nil.
func pack(o *observed) packed {
	if o == nil {
		return packed{}
	}
	p := packed{
		print: o.print, shared: o.shared, generation: int32(o.generation), created: uint32(o.created), flags: isPacked,
	}
	if o.terminating {
		p.flags |= isTerminating
	}
	p.version = o.version()
	p.uid, _ = uuid.Parse(string(o.uid))
	packHash(&p.hash, o.hash)
	packHash(&p.content, o.content)
	if *p.unpack() != *o {
		whole := *o
		return packed{whole: &whole, flags: isPacked}
	}
	return p
}

// has tells that there is an object.
func (p *packed) has() bool { return p.flags&isPacked != 0 }

// isOf tells whether p is of that object, whatever its version. o may be nil.
func (p *packed) isOf(o *observed) bool {
	switch {
	case !p.has() || o == nil:
		return false
	case p.whole != nil:
		return p.whole.uid == o.uid
	}
	uid, err := uuid.Parse(string(o.uid))
	return err == nil && p.uid == uid
}

// unpack returns what was packed.
func (p *packed) unpack() *observed {
	switch {
	case !p.has():
		return nil
	case p.whole != nil:
		return p.whole
	}
	return &observed{
		uid: types.UID(p.uid.String()), resourceVersion: strconv.FormatUint(p.version, 10),
		content: hex.EncodeToString(p.content[:]), hash: hex.EncodeToString(p.hash[:]), shared: p.shared,
		generation: int64(p.generation), created: int64(p.created), print: p.print,
		terminating: p.flags&isTerminating != 0,
	}
}

// packHash reads a hash as fanout writes them. Of another text it makes something else.
func packHash(into *[16]byte, text string) {
	if len(text) == 2*len(into) {
		_, _ = hex.Decode(into[:], []byte(text))
	}
}
