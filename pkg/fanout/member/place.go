package member

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/results"
)

// place is all that is remembered of one place in a member. Where that is nothing, the view has none.
type place struct {
	// held is what stands there, if anything does.
	held packed
	// said is what that says of how it fares, nil where nothing was heard of it.
	said *results.Result
	// written is what fanout last wrote there, and how often.
	written fight
	// remarks are nil at most places.
	remarks *remarks
}

// remarks are what is out of the ordinary about a place.
type remarks struct {
	// settled is the content last found right for a hash that it differs from: others may add fields, and a
	// member's schema may add defaults.
	settled settlement
	// failing is why the place is not as it should be, as last reported.
	failing results.Condition
	// awaited says since when the copy is seen to be terminating.
	awaited time.Time
}

type settlement struct{ hash, content string }

// remark returns what is remarked of the place, to be read.
func (p *place) remark() remarks {
	if p == nil || p.remarks == nil {
		return remarks{}
	}
	return *p.remarks
}

// noted returns the place's remarks, to be changed.
func (p *place) noted() *remarks {
	if p.remarks == nil {
		p.remarks = &remarks{}
	}
	return p.remarks
}

// at changes what is remembered of a place.
func (v *view) at(key types.NamespacedName, change func(*place)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.places[key]
	if p == nil {
		p = &place{}
	}
	change(p)
	v.keep(key, p)
}

// keep remembers p, or forgets the place where there is nothing to remember.
func (v *view) keep(key types.NamespacedName, p *place) {
	if p.remark() == (remarks{}) {
		p.remarks = nil
	}
	if *p == (place{}) {
		delete(v.places, key)
	} else {
		v.places[key] = p
	}
}

// delay returns how long to wait before hash is written to key, lest fanout fights with another writer.
func (v *view) delay(key types.NamespacedName, hash string, now time.Time) time.Duration {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if p := v.places[key]; p != nil {
		return p.written.delay(hash, now)
	}
	return 0
}

// remark returns what is remarked of key.
func (v *view) remark(key types.NamespacedName) remarks {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.places[key].remark()
}

// settled returns the content that key was last found to hold rightly for hash, empty where that is what hash says.
func (v *view) settled(key types.NamespacedName, hash string) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if s := v.places[key].remark().settled; s.hash == hash {
		return s.content
	}
	return ""
}

// fail remembers why key is not as it should be, the zero Condition where it is, and returns what was remembered before. Trouble
// that goes on has lasted since it began.
func (v *view) fail(key types.NamespacedName, why results.Condition) (before results.Condition) {
	v.at(key, func(p *place) {
		before = p.remark().failing
		if before.Reason == why.Reason {
			why.Since = before.Since
		}
		if before != why {
			p.noted().failing = why
		}
	})
	return before
}

// failing returns the places that are not as they should be.
func (v *view) failing() []types.NamespacedName {
	return v.which(func(p *place) bool { return p.remark().failing.Reason != "" })
}

// awaited returns the places whose copies are seen to be terminating.
func (v *view) awaited() []types.NamespacedName {
	return v.which(func(p *place) bool { return !p.remark().awaited.IsZero() })
}

// forget drops what is remembered of writes to a place that nothing is to be written to any more.
func (v *view) forget(key types.NamespacedName) {
	v.at(key, func(p *place) {
		p.written = fight{}
		if p.remarks != nil {
			p.remarks.settled = settlement{}
		}
	})
}
