package faultproxy

import (
	"context"
	"slices"
	"time"
)

type kind int

const (
	cut       kind = iota // no connections
	blackhole             // connections bring nothing back
	throttle              // connections bring little back
	delay                 // requests wait before they are forwarded
	slow                  // answers wait
	answer                // requests are answered by the proxy
)

// fault is something that is wrong until it is healed.
type fault struct {
	kind   kind
	match  Match
	length time.Duration // of a delay
	rate   int           // bytes per second
	code   int           // HTTP status
	share  float64       // what is saved up of match.Share
	healed chan struct{} // closed
}

// Cut breaks all connections and refuses new ones, as a server that is down does.
func (p *Proxy) Cut() (heal func()) {
	heal = p.add(&fault{kind: cut})
	p.listener.reset()
	return heal
}

// Reset breaks all connections that are open now, with an RST. There is nothing to heal.
func (p *Proxy) Reset() { p.listener.reset() }

// HalfOpen makes all connections that are open now silent for ever: what the client sends is lost, nothing comes back,
// and nothing closes them. New ones work. There is nothing to heal.
func (p *Proxy) HalfOpen() { p.listener.silence() }

// Blackhole takes connections and requests, and forwards them, but lets nothing come back until it is healed: then what
// was kept arrives where somebody still waits for it.
func (p *Proxy) Blackhole() (heal func()) { return p.add(&fault{kind: blackhole}) }

// Throttle lets each connection bring back no more than that many bytes per second.
func (p *Proxy) Throttle(bytesPerSecond int) (heal func()) {
	return p.add(&fault{kind: throttle, rate: max(1, bytesPerSecond)})
}

// Delay keeps each matching request for that long before it is forwarded.
func (p *Proxy) Delay(length time.Duration, match Match) (heal func()) {
	return p.add(&fault{kind: delay, length: length, match: match})
}

// Slow forwards each matching request at once, and keeps the answer back for that long.
func (p *Proxy) Slow(length time.Duration, match Match) (heal func()) {
	return p.add(&fault{kind: slow, length: length, match: match})
}

// Answer answers each matching request with that HTTP status and the Status that an API server sends with it, and
// does not forward it. With 429 comes a Retry-After of a second.
func (p *Proxy) Answer(code int, match Match) (heal func()) {
	return p.add(&fault{kind: answer, code: code, match: match})
}

// Heal ends all faults, and drops the holds that have not met their request.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		close(f.healed)
	}
	p.faults, p.holds = nil, nil
	p.announce()
}

func (p *Proxy) add(f *fault) (heal func()) {
	f.healed = make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, f)
	p.announce()
	return func() { p.heal(f) }
}

// heal ends one fault. Healing twice does nothing.
func (p *Proxy) heal(f *fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.faults, f); i >= 0 {
		p.faults = slices.Delete(slices.Clone(p.faults), i, i+1)
		close(f.healed)
		p.announce()
	}
}

// announce tells those who wait that faults have changed. p.mu is held.
func (p *Proxy) announce() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// active returns the fault of that kind that was set last, or nil, and a channel that is closed when this may have
// changed.
func (p *Proxy) active(k kind) (*fault, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range slices.Backward(p.faults) {
		if f.kind == k {
			return f, p.changed
		}
	}
	return nil, p.changed
}

// meet returns the faults that request meets with.
func (p *Proxy) meet(request Request) []*fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	var met []*fault
	for _, f := range p.faults {
		if (f.kind == delay || f.kind == slow || f.kind == answer) && f.match.takes(request) && f.isDue() {
			met = append(met, f)
		}
	}
	return met
}

// isDue tells whether f concerns this one of the requests that match, so that in the long run it concerns the share of them
// that it should. No chance is involved. The proxy's mu is held.
func (f *fault) isDue() bool {
	if f.match.Share == 0 {
		return true
	}
	f.share += f.match.Share
	if f.share < 1 {
		return false
	}
	f.share--
	return true
}

// wait waits for as long as f says, and no longer than until it is healed. It returns false when the request has ended.
func (p *Proxy) wait(ctx context.Context, f *fault) bool {
	timer := time.NewTimer(f.length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.healed:
	case <-ctx.Done():
		return false
	case <-p.stopped.Done():
		return false
	}
	return true
}
