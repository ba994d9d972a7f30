package bench

import (
	"fmt"
	"testing"
	"time"

	"fanout/test/fixture"
)

// leaseDuration is fanout's default.
const leaseDuration = 15 * time.Second

// failover has the leader of two replicas killed, and then the next one stopped, while parents are edited.
func failover(t *testing.T, w *world) {
	if w.held > 5 {
		w.wipe(t)
	}
	const parents = 5
	w.start(t, w.some, parents)
	w.stop(t)
	var replicas []*fixture.Fanout
	for range 2 {
		w.launch(t, w.register(t, w.some), "--leader-elect=true")
		replicas = append(replicas, w.fanout)
	}
	leader, other := replicas[0], replicas[1]
	fixture.EventuallyWithin(t, patience, "one replica leads", func() error {
		for i, f := range replicas {
			if f.Metric(t, "fanout_leader") == 1 {
				leader, other = f, replicas[1-i]
				return nil
			}
		}
		return fmt.Errorf("none does")
	})
	w.synced(t, w.some*parents)

	before := w.counts(t)
	load := &load{world: w, parents: parents}
	load.edit(t, 50, "h7m")
	leader.Kill()
	killed := time.Now()
	first := load.until(t, "h8m")
	w.figures.against(t, "failover", first.Sub(killed).Seconds(), leaseDuration.Seconds(), "s", fmt.Sprintf(
		"from the leader's end by kill -9, while parents are edited, until a member has an edit of after it; the floor is the lease's time; %d members", w.some))

	began := time.Now()
	load.edit(t, 5, "h7m")
	other.Stop(t)
	w.figures.add(t, "failover-stop", time.Since(began).Seconds(), "s", "until a leader that is asked to stop has ended, while parents are edited")
	w.launch(t, w.register(t, w.some), "--leader-elect=true")
	load.until(t, "h9m")

	w.synced(t, w.some*parents)
	lost := 0
	for _, last := range load.last {
		held, err := w.simulator.Holding(t.Context(), last)
		if err != nil {
			t.Fatal(err)
		}
		lost += w.some - held
	}
	w.figures.add(t, "failover-lost", float64(lost), "copies", fmt.Sprintf("that have not the last of %d edits, after a kill and a stop", load.edits))
	changes := written(w.counts(t)) - written(before)
	w.figures.add(t, "failover-doubled", float64(max(changes-int64(load.edits*w.some), 0)), "writes", "that changed copies, beyond one for each edit and member")
}

// load edits some parents, one after the other.
type load struct {
	*world
	parents, edits int
	last           [5]string // what each parent was edited to last
}

// edit makes edits whose schedules end in a text.
func (l *load) edit(t *testing.T, count int, text string) {
	t.Helper()
	for range count {
		l.edits++
		which := l.edits % l.parents
		l.last[which] = fmt.Sprintf("@every %d%s", 1000+l.edits, text)
		l.world.edit(t, fmt.Sprintf("held-%d", which), l.last[which])
	}
}

// until makes such edits until a member has one of them, and returns when that was.
func (l *load) until(t *testing.T, text string) time.Time {
	t.Helper()
	arrived := l.expect(t, text, 1)
	done := make(chan time.Time, 1)
	go func() { done <- arrived()[0].Time }()
	for {
		l.edit(t, 1, text)
		select {
		case first := <-done:
			return first
		case <-time.After(20 * time.Millisecond):
		}
	}
}
