package member

import (
	"hash/maphash"
	"time"
)

const (
	fightBaseDelay = time.Second
	fightMaxDelay  = 5 * time.Minute
	fightForgotten = 10 * time.Minute
)

// fight tells a single edit in a member, which is put right at once, from another writer that keeps undoing
// what fanout wrote, with which fanout would otherwise fight at full speed. The sign is the same content
// written to the same place again. The zero fight is that of a place to which nothing was written.
type fight struct {
	hash  uint64 // of the hash, for this process
	last  int64  // in nanoseconds since 1970
	count int32
}

// delay returns how long to wait before hash is written: nothing for new content and for the first
// time it has to be put back, then 1s, doubling to 5m, until 10m have passed without.
func (f *fight) delay(hash string, now time.Time) time.Duration {
	if f.hash != of(hash) || f.count <= 0 {
		return 0
	}
	delay := min(fightBaseDelay<<min(f.count-1, 30), fightMaxDelay)
	return max(0, time.Unix(0, f.last).Add(delay).Sub(now))
}

// wrote notes a write, and returns how often the same was written before.
func (f *fight) wrote(hash string, now time.Time) int {
	return f.note(hash, now, 0)
}

// lost notes a write that was refused because somebody else had written in between, though the object had just been read.
// What keeps being written so fast is as much of a fight as what is undone.
func (f *fight) lost(hash string, now time.Time) {
	f.note(hash, now, -1)
}

func (f *fight) note(hash string, now time.Time, count int32) int {
	if f.hash == of(hash) && now.Sub(time.Unix(0, f.last)) < fightForgotten {
		count = f.count + 1
	}
	*f = fight{hash: of(hash), last: now.UnixNano(), count: count}
	return int(count)
}

func of(hash string) uint64 { return maphash.String(processSeed, hash) }
