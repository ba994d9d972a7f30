package shard

import (
	"maps"
	"slices"
	"time"
)

// Timing says how long announcements hold, by whatever clock.
type Timing struct {
	// Lease is how long an announcement that does not change binds the others.
	Lease time.Duration
	// Renew is how long one may act upon one's own, counted from when it was sent. What is between the two is left for clocks
	// that run at different rates.
	Renew time.Duration
}

// Announcement is what a replica has said last, as one reads it.
type Announcement struct {
	// Replica is its name.
	Replica string
	// Version is another one after each change, and after each renewal.
	Version string
	// Lasts is for how long it binds, where that is longer than one's own Timing says.
	Lasts time.Duration
	// View is what it acts upon: it works with nothing but what that gives it.
	View View
	// Everything is said by one that divides with nobody, as a leader does.
	Everything bool
	// Released is said by one that works no longer.
	Released bool
	// Contact is where the others reach it. It has no part in who works with what.
	Contact Contact
}

// Contact is where a replica can be asked, and the key by which it is known there.
type Contact struct {
	Replica, Address, Key string
}

// Replica is what one replica knows, and may do. It is told of what happened, with the times by its own clock, and does
// nothing by itself. It is one goroutine's.
type Replica struct {
	name   string
	timing Timing
	peers  map[string]*peer
	until  time.Time // it may act upon what it has announced; zero where that is nothing

	view      View // that it has announced, or is about to
	announced bool // the hub has taken it, at that time
	at        time.Time
	claim     *claim
	told      *claim // by Holds
}

// peer is another replica as it was last seen.
type peer struct {
	Announcement
	since time.Time // unchanged
}

// claim is what of a view a replica may work with. It is not changed, but replaced by another.
type claim struct {
	replica string
	view    View
	// kept is what it worked with when it announced the view: that is part of both.
	kept *claim
	// read is true once the others have been read after the view was announced.
	read bool
	// rivals are the others that were alive then, with what each has announced since. What one has left out once is free: by
	// now it has to see that it is claimed before it takes it.
	rivals map[string][]Announcement
}

// NewReplica returns a replica that knows nothing and may do nothing.
func NewReplica(name string, timing Timing) *Replica {
	return &Replica{name: name, timing: timing, peers: map[string]*peer{}}
}

// Observe takes in the announcements of all replicas, which were asked for at one time and had come at the other.
func (r *Replica) Observe(all []Announcement, asked, came time.Time) {
	listed := map[string]bool{}
	for _, a := range all {
		if a.Replica == r.name {
			continue
		}
		listed[a.Replica] = true
		if p := r.peers[a.Replica]; p == nil || p.Version != a.Version {
			r.peers[a.Replica] = &peer{Announcement: a, since: came}
		}
	}
	// One that is listed no longer may still act upon what it has said, unless it has released that before.
	for name := range r.peers {
		if !listed[name] && !r.isAlive(name, asked) {
			delete(r.peers, name)
		}
	}
	if r.claim != nil && r.announced && !asked.Before(r.at) {
		r.claim = r.claim.after(r.alive(asked))
	}
}

// isAlive tells whether a peer may act upon its announcement, as far as could be known by what was asked for at that time.
func (r *Replica) isAlive(name string, asked time.Time) bool {
	p := r.peers[name]
	return p != nil && !p.Released && asked.Sub(p.since) < max(r.timing.Lease, p.Lasts)
}

func (r *Replica) alive(asked time.Time) map[string]Announcement {
	alive := map[string]Announcement{}
	for name, p := range r.peers {
		if r.isAlive(name, asked) {
			alive[name] = p.Announcement
		}
	}
	return alive
}

// Wanted is the view to announce, by what was last observed.
func (r *Replica) Wanted(asked time.Time) View {
	replicas := []string{r.name}
	for name, a := range r.alive(asked) {
		if !a.Everything {
			replicas = append(replicas, name)
		}
	}
	return NewView(replicas...)
}

// View is the one that it has announced, or is about to.
func (r *Replica) View() View { return r.view }

// Contacts returns where the others in the view are reached, by name.
func (r *Replica) Contacts() []Contact {
	var contacts []Contact
	for _, name := range r.view {
		if p := r.peers[name]; p != nil && p.Contact.Address != "" {
			contacts = append(contacts, p.Contact)
		}
	}
	return contacts
}

// Announced tells whether the hub has taken the view.
func (r *Replica) Announced() bool { return r.announced }

// Agreed tells whether all that are alive act upon the same view, so that it holds all that this gives it.
func (r *Replica) Agreed() bool {
	return r.claim != nil && r.claim.read && r.claim.kept == nil && len(r.claim.rivals) == 0
}

// Announce is called before a view is announced. From now on it holds no more than what both this view and the one before
// give it, and the view may be announced once the rest is let go of.
func (r *Replica) Announce(view View) {
	kept := r.claim
	r.view, r.announced = view, false
	r.claim = &claim{replica: r.name, view: view, kept: kept}
}

// Renewed is called when the hub has taken an announcement of view, that was sent at one time and answered at the other. It
// returns false if that came too late to go on.
func (r *Replica) Renewed(view View, sent, answered time.Time) bool {
	if r.Lapsed(answered) {
		return false
	}
	r.until = sent.Add(r.timing.Renew)
	if !r.announced && slices.Equal(view, r.view) {
		r.announced, r.at = true, answered
	}
	return true
}

// Lapsed tells whether it has acted upon its announcement for as long as it may.
func (r *Replica) Lapsed(now time.Time) bool { return !r.until.IsZero() && !now.Before(r.until) }

// Until is when it will have lapsed, zero where it has announced nothing.
func (r *Replica) Until() time.Time { return r.until }

// Reset is called after a lapse, when all is let go of: it begins like a new replica.
func (r *Replica) Reset() {
	r.view, r.announced, r.claim, r.until = nil, false, nil, time.Time{}
}

// Forfeit has it lapse now.
func (r *Replica) Forfeit(now time.Time) { r.until = now }

// Changed tells whether Holds would return something else than the last time.
func (r *Replica) Changed() bool { return r.claim != r.told }

// Holds returns what it may work with now, as long as it has not lapsed.
func (r *Replica) Holds() func(key string) bool {
	claim := r.claim
	r.told = claim
	return func(key string) bool { return claim.has(key) }
}

// Stale returns the peers whose announcements nobody needs any more: released, or unchanged, for so long that everybody has
// seen it.
func (r *Replica) Stale(asked time.Time) []Announcement {
	var stale []Announcement
	for _, p := range r.peers {
		if !p.Everything && asked.Sub(p.since) >= 4*max(r.timing.Lease, p.Lasts) {
			stale = append(stale, p.Announcement)
		}
	}
	return stale
}

// has tells whether the replica may work with key: the view gives it to the replica, and the replica either has never let go
// of it, or has read since it announced the view that no other one holds it.
func (c *claim) has(key string) bool {
	if c == nil || c.view.Owner(key) != c.replica {
		return false
	}
	return c.kept.has(key) || c.read && c.isFree(key)
}

func (c *claim) isFree(key string) bool {
	for name, said := range c.rivals {
		if !slices.ContainsFunc(said, func(a Announcement) bool { return !a.Everything && a.View.Owner(key) != name }) {
			return false
		}
	}
	return true
}

// after is the claim when the others have been read, of which those are alive.
func (c *claim) after(alive map[string]Announcement) *claim {
	next := *c
	next.rivals = map[string][]Announcement{}
	if !c.read {
		for name, a := range alive {
			next.rivals[name] = []Announcement{a}
		}
	}
	for name, said := range c.rivals { // one that has come later sees what is claimed
		if a, ok := alive[name]; ok {
			next.rivals[name] = said
			if last := said[len(said)-1]; !slices.Equal(last.View, a.View) || last.Everything != a.Everything {
				next.rivals[name] = append(slices.Clip(said), a)
			}
		}
	}
	next.read = true
	// One that acts upon the same view has nothing of what this gives the replica.
	maps.DeleteFunc(next.rivals, func(_ string, said []Announcement) bool {
		return slices.ContainsFunc(said, func(a Announcement) bool { return !a.Everything && slices.Equal(a.View, c.view) })
	})
	if len(next.rivals) == 0 {
		next.kept = nil // all that the view gives it is free
	}
	if c.read && c.kept == next.kept && maps.EqualFunc(c.rivals, next.rivals, sameLength) {
		return c
	}
	return &next
}

// sameLength compares what a rival has announced: that only grows.
func sameLength(a, b []Announcement) bool { return len(a) == len(b) }
