package member

import "time"

const (
	fightBaseDelay = time.Second
	fightMaxDelay  = 5 * time.Minute
	fightForgotten = 10 * time.Minute
)

// fight tells a single edit in a member, which is put right at once, from another writer that keeps undoing
// what fanout wrote, with which fanout would otherwise fight at full speed. The sign is the same content
// written to the same place again. The zero fight is that of a place to which nothing was written.
type fight struct {
	hash  string
	last  time.Time
	count int
}

// delay returns how long to wait before hash is written: nothing for new content and for the first
// time it has to be put back, then 1s, doubling to 5m, until 10m have passed without.
func (f *fight) delay(hash string, now time.Time) time.Duration {
	if f.hash != hash || f.count <= 0 {
		return 0
	}
	delay := min(fightBaseDelay<<min(f.count-1, 30), fightMaxDelay)
	return max(0, f.last.Add(delay).Sub(now))
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

func (f *fight) note(hash string, now time.Time, count int) int {
	if f.hash == hash && now.Sub(f.last) < fightForgotten {
		count = f.count + 1
	}
	*f = fight{hash: hash, last: now, count: count}
	return count
}
