package shard_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanout/pkg/shard"
)

var timing = shard.Timing{Lease: 15 * time.Second, Renew: 10 * time.Second}

// hub is where announcements are kept: one request is done after the other, in whatever order they arrive.
type hub struct {
	announcements map[string]shard.Announcement
	versions      int
}

// write is a request that changes an announcement, if it is still of that version.
type write struct {
	announcement shard.Announcement
	over         string
	sent         time.Time // by the writer's clock

	taken   bool // by the hub, as this version if it was the right one
	version string
}

func (h *hub) take(w write) (version string, ok bool) {
	if h.announcements[w.announcement.Replica].Version != w.over {
		return "", false
	}
	h.versions++
	w.announcement.Version = fmt.Sprint(h.versions)
	h.announcements[w.announcement.Replica] = w.announcement
	return w.announcement.Version, true
}

func (h *hub) list() []shard.Announcement {
	var all []shard.Announcement
	for _, a := range h.announcements {
		all = append(all, a)
	}
	return all
}

// process is one replica with a clock of its own, doing what leases.Run does, each step when the test says so.
type process struct {
	*shard.Replica
	name string
	rate float64
	skew time.Duration

	version string // of its announcement, as it knows it
	saying  shard.View
	writing *write    // that it waits for
	strays  []write   // that it has given up waiting for
	asked   time.Time // a list that it waits for, if not zero
	listed  []shard.Announcement
	read    bool
	heard   time.Time // when its last list was asked for
}

func newProcess(name string, rate float64, skew time.Duration) *process {
	return &process{Replica: shard.NewReplica(name, timing), name: name, rate: rate, skew: skew}
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (p *process) now(real time.Duration) time.Time {
	return epoch.Add(p.skew + time.Duration(float64(real)*p.rate))
}

// holds tells whether it may write with key.
func (p *process) holds(key string, real time.Duration) bool {
	return !p.Until().IsZero() && !p.Lapsed(p.now(real)) && p.Holds()(key)
}

// decide is what follows from what it knows.
func (p *process) decide(real time.Duration) {
	if p.Lapsed(p.now(real)) {
		p.Reset()
		p.writing = nil
	}
	if p.heard.IsZero() {
		return
	}
	if wanted := p.Wanted(p.heard); !slices.Equal(wanted, p.View()) {
		p.Announce(wanted)
	}
}

// send begins to write what it acts upon, or renews what it said last.
func (p *process) send(real time.Duration, renew bool) {
	if p.writing != nil || p.View() == nil || p.Lapsed(p.now(real)) {
		return
	}
	if !renew || p.saying == nil {
		p.saying = p.View()
	}
	p.writing = &write{announcement: shard.Announcement{Replica: p.name, View: p.saying}, over: p.version, sent: p.now(real)}
}

// arrive has the write come to the hub.
func (p *process) arrive(h *hub) {
	if p.writing != nil && !p.writing.taken {
		p.writing.version, _ = h.take(*p.writing)
		p.writing.taken = true
	}
}

// hear has the hub's answer come back.
func (p *process) hear(h *hub, real time.Duration) {
	if p.writing == nil || !p.writing.taken {
		return
	}
	w := *p.writing
	p.writing = nil
	if w.version == "" {
		p.version = h.announcements[p.name].Version
		return
	}
	p.version = w.version
	p.Renewed(w.announcement.View, w.sent, p.now(real))
}

// giveUp has it wait for no answer any more. The write may still be on its way.
func (p *process) giveUp(h *hub) {
	if p.writing != nil && !p.writing.taken {
		p.strays = append(p.strays, *p.writing)
	}
	p.writing = nil
	p.version = h.announcements[p.name].Version
}

func (p *process) step(h *hub, kind int, real time.Duration) {
	switch kind {
	case 0, 1:
		if p.asked.IsZero() {
			p.asked = p.now(real)
		}
	case 2, 3:
		if !p.asked.IsZero() {
			p.listed, p.read = h.list(), true
		}
	case 4, 5:
		if p.read {
			p.Observe(p.listed, p.asked, p.now(real))
			p.heard, p.asked, p.read = p.asked, time.Time{}, false
		}
	case 6, 7:
		p.decide(real)
	case 8:
		p.send(real, false)
	case 9:
		p.send(real, true)
	case 10:
		p.arrive(h)
	case 11, 12:
		p.hear(h, real)
	case 13:
		p.giveUp(h)
	case 14:
		for _, w := range p.strays {
			h.take(w)
		}
		p.strays = nil
	}
}

// turn is one round of leases.Run that goes well.
func (p *process) turn(h *hub, real time.Duration) {
	for _, kind := range []int{0, 2, 4, 6, 8, 10, 11, 0, 2, 4, 6} {
		p.step(h, kind, real)
	}
}

func keys(count int) []string {
	var all []string
	for i := range count {
		all = append(all, fmt.Sprintf("member-%d", i))
	}
	return all
}

func mustNotShare(t rapid.TB, processes []*process, real time.Duration) {
	t.Helper()
	for _, key := range keys(12) {
		var holders []string
		for _, p := range processes {
			if p.holds(key, real) {
				holders = append(holders, fmt.Sprintf("%s (view %s)", p.name, p.View()))
			}
		}
		if len(holders) > 1 {
			t.Fatalf("after %s, %s is held by %v", real, key, holders)
		}
	}
}

func TestNoTwoHoldOneMemberWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &hub{announcements: map[string]shard.Announcement{}}
		var real time.Duration
		var processes []*process
		born := 0
		spawn := func() *process {
			born++
			rate := rapid.Float64Range(0.85, 1.15).Draw(t, "rate")
			skew := time.Duration(rapid.IntRange(-3600, 3600).Draw(t, "skew")) * time.Second
			return newProcess(fmt.Sprintf("replica-%d", born), rate, skew)
		}
		for range rapid.IntRange(2, 4).Draw(t, "replicas") {
			processes = append(processes, spawn())
		}
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			p := processes[rapid.IntRange(0, len(processes)-1).Draw(t, "who")]
			switch kind := rapid.IntRange(0, 24).Draw(t, "what"); {
			case kind < 15:
				p.step(h, kind, real)
			case kind < 21:
				p.turn(h, real)
			case kind == 21: // a crash
				processes[slices.Index(processes, p)] = spawn()
			case kind == 22 && !p.heard.IsZero():
				for _, stale := range p.Stale(p.heard) {
					if h.announcements[stale.Replica].Version == stale.Version {
						delete(h.announcements, stale.Replica)
					}
				}
			default:
				real += time.Duration(rapid.IntRange(0, rapid.SampledFrom([]int{50, 3000, 9000, 90000}).Draw(t, "most")).Draw(t, "ms")) * time.Millisecond
			}
			mustNotShare(t, processes, real)
		}
	})
}

// What they hold is everything, once all that run agree, whatever happened before.
func TestEveryMemberIsHeldOnceReplicasAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &hub{announcements: map[string]shard.Announcement{}}
		var real time.Duration
		var processes []*process
		for i := range rapid.IntRange(1, 4).Draw(t, "replicas") {
			processes = append(processes, newProcess(fmt.Sprintf("replica-%d", i), 1, time.Duration(i)*time.Hour))
		}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			p := processes[rapid.IntRange(0, len(processes)-1).Draw(t, "who")]
			p.step(h, rapid.IntRange(0, 14).Draw(t, "what"), real)
			real += time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond
		}
		dead := rapid.IntRange(0, len(processes)-1).Draw(t, "dead")
		running := processes[dead:]
		for range 15 {
			real += 2 * time.Second
			for _, p := range running {
				p.giveUp(h)
				p.turn(h, real)
				mustNotShare(t, processes, real)
			}
		}
		for _, key := range keys(50) {
			if !slices.ContainsFunc(running, func(p *process) bool { return p.holds(key, real) }) {
				t.Fatalf("nobody holds %s", key)
			}
		}
		for _, p := range running {
			if !p.Agreed() {
				t.Errorf("%s does not see that all agree", p.name)
			}
		}
	})
}

func TestALeaderThatWorksLeavesNothingToOthers(t *testing.T) {
	h := &hub{announcements: map[string]shard.Announcement{}}
	leader := shard.Announcement{Replica: "leader", Version: "1", Everything: true, Lasts: time.Minute}
	h.announcements["leader"] = leader
	p := newProcess("replica", 1, 0)
	p.turn(h, 0)
	if p.holds("member", 0) {
		t.Error("it holds a member beside a leader")
	}
	leader.Version, leader.Released = "2", true
	h.announcements["leader"] = leader
	p.turn(h, 2*time.Second)
	if !p.holds("member", 2*time.Second) {
		t.Error("it does not hold the member that the leader has released")
	}
}

func TestOnlyWhatIsLongDeadIsStale(t *testing.T) {
	h := &hub{announcements: map[string]shard.Announcement{}}
	dead, alive := newProcess("dead", 1, 0), newProcess("alive", 1, 0)
	dead.turn(h, 0)
	for real := time.Duration(0); real <= 2*time.Minute; real += 2 * time.Second {
		alive.turn(h, real)
		stale := alive.Stale(alive.heard)
		if got, want := len(stale) > 0, real >= 4*timing.Lease; got != want {
			t.Fatalf("after %s, these are stale: %v", real, stale)
		}
	}
}

// What a replica hears of after its time was over does not have it go on: others may have taken over in between.
func TestAnAnswerThatComesTooLateDoesNotCount(t *testing.T) {
	h := &hub{announcements: map[string]shard.Announcement{}}
	slow, other := newProcess("slow", 1, 0), newProcess("other", 1, 0)
	slow.turn(h, 0)
	slow.send(9*time.Second, true)
	for real := time.Second; real <= 18*time.Second; real += time.Second {
		other.turn(h, real)
	}
	if !other.holds("member", 18*time.Second) {
		t.Error("the other one has not taken over")
	}
	slow.arrive(h)
	slow.hear(h, 18500*time.Millisecond) // not ten seconds after it was sent
	if slow.holds("member", 18500*time.Millisecond) {
		t.Error("it goes on, though its time was over in between")
	}
}

// A list may be older than what was announced while it was under way.
func TestOnlyWhatIsReadAfterAnAnnouncementCounts(t *testing.T) {
	h := &hub{announcements: map[string]shard.Announcement{}}
	p, other := newProcess("a", 1, 0), newProcess("b", 1, 0)
	p.turn(h, 0)
	p.Announce(shard.NewView("a", "b"))
	p.step(h, 0, time.Second) // asks
	p.step(h, 2, time.Second)
	p.step(h, 8, 2*time.Second) // announces
	other.turn(h, 2*time.Second)
	p.arrive(h)
	p.hear(h, 3*time.Second)
	p.step(h, 4, 4*time.Second) // hears what there was when it asked
	if p.Agreed() {
		t.Error("it takes an old list for what the others have to say to what it announced")
	}
}

// How long a replica may go on counts from when it sent what was answered: others may have seen it as early as that.
func TestAnAnswerThatTakesTimeIsWorthLess(t *testing.T) {
	h := &hub{announcements: map[string]shard.Announcement{}}
	p := newProcess("replica", 1, 0)
	p.turn(h, 0)
	p.send(5*time.Second, true)
	p.arrive(h)
	p.hear(h, 9*time.Second)
	if !p.holds("member", 14*time.Second) || p.holds("member", 16*time.Second) {
		t.Error("it does not go on until ten seconds after it sent what was answered")
	}
}

// Whose Lease is deleted by hand may still work, as far as those know who saw it.
func TestADeletedLeaseIsNotAReleasedOne(t *testing.T) {
	h := &hub{announcements: map[string]shard.Announcement{}}
	a, b := newProcess("a", 1, 0), newProcess("b", 1, 0)
	for range 3 {
		a.turn(h, 0)
		b.turn(h, 0)
	}
	delete(h.announcements, "b")
	a.turn(h, 2*time.Second)
	mustNotShare(t, []*process{a, b}, 2*time.Second)
	for real := 4 * time.Second; real <= 18*time.Second; real += 2 * time.Second {
		a.turn(h, real)
	}
	for _, key := range keys(12) {
		if !a.holds(key, 18*time.Second) {
			t.Errorf("it does not hold %s after the Lease has run out", key)
		}
	}
}

// A renewal of what was said before is no word of what is about to be said.
func TestARenewalAnnouncesNothingNew(t *testing.T) {
	h := &hub{announcements: map[string]shard.Announcement{}}
	p := newProcess("a", 1, 0)
	p.turn(h, 0)
	before := p.View()
	p.Announce(shard.NewView("a", "b"))
	if !p.Renewed(before, p.now(time.Second), p.now(time.Second)) || p.Announced() {
		t.Error("it counts as an announcement")
	}
}
