package fanout

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	fightBaseDelay = time.Second
	fightMaxDelay  = 5 * time.Minute
	fightForgotten = 10 * time.Minute
)

// fights tells a single edit in a member, which is put right at once, from another writer that keeps undoing
// what fanout wrote, with which fanout would otherwise fight at full speed. The sign is the same content
// written to the same place again.
type fights map[types.NamespacedName]fight

type fight struct {
	hash  string
	last  time.Time
	count int
}

// delay returns how long to wait before hash is written to key: nothing for new content and for the first
// time it has to be put back, then 1s, doubling to 5m, until 10m have passed without.
func (f fights) delay(key types.NamespacedName, hash string, now time.Time) time.Duration {
	last, ok := f[key]
	if !ok || last.hash != hash || last.count <= 0 {
		return 0
	}
	delay := min(fightBaseDelay<<min(last.count-1, 30), fightMaxDelay)
	return max(0, last.last.Add(delay).Sub(now))
}

// wrote notes a write, and returns how often the same was written before.
func (f fights) wrote(key types.NamespacedName, hash string, now time.Time) int {
	return f.note(key, hash, now, 0)
}

// lost notes a write that was refused because somebody else had written in between, though the object had just been read.
// What keeps being written so fast is as much of a fight as what is undone.
func (f fights) lost(key types.NamespacedName, hash string, now time.Time) {
	f.note(key, hash, now, -1)
}

func (f fights) note(key types.NamespacedName, hash string, now time.Time, count int) int {
	if last, ok := f[key]; ok && last.hash == hash && now.Sub(last.last) < fightForgotten {
		count = last.count + 1
	}
	f[key] = fight{hash: hash, last: now, count: count}
	return count
}
