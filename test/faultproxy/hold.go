package faultproxy

import (
	"slices"
	"sync"
)

// Hold waits for one request, to do something before that is forwarded.
type Hold struct {
	proxy *Proxy
	match Match
	do    func()

	mu   sync.Mutex // held while do runs
	done bool
}

// BeforeNext has do called once, when the next request that matches is in the proxy and not yet forwarded: after whoever
// sent it has decided on it, and before the server sees it. Of several holds that match, the oldest takes a request.
func (p *Proxy) BeforeNext(match Match, do func()) *Hold {
	h := &Hold{proxy: p, match: match, do: do}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds = append(p.holds, h)
	return h
}

// Cancel lets h wait no longer. It tells whether a request had come, and then returns after what was to be done is done.
func (h *Hold) Cancel() (met bool) {
	p := h.proxy
	p.mu.Lock()
	if i := slices.Index(p.holds, h); i >= 0 {
		p.holds = slices.Delete(p.holds, i, i+1)
	}
	p.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.done
}

// takeHold returns the hold that request meets with, which is its last; its mu is held until it has run.
func (p *Proxy) takeHold(request Request) *Hold {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.holds, func(h *Hold) bool { return h.match.takes(request) })
	if i < 0 {
		return nil
	}
	h := p.holds[i]
	p.holds = slices.Delete(p.holds, i, i+1)
	h.mu.Lock()
	return h
}

// run does what is to be done while h holds its request. h.mu was taken with the request.
func (h *Hold) run() {
	defer h.mu.Unlock()
	h.do()
	h.done = true
}
