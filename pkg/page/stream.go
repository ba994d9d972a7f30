package page

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// serveStream sends an open page its content whenever that has changed, until it goes away or does not read.
func (p *Page) serveStream(v view) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Type", "text/event-stream")
			return
		}
		if p.streams.Add(1) > p.maxStreams {
			p.streams.Add(-1)
			w.Header().Set("Retry-After", "10")
			http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
			return
		}
		defer p.streams.Add(-1)
		w.Header().Set("Content-Type", "text/event-stream")
		stream := stream{to: w, within: p.writeTime, control: http.NewResponseController(w), has: r.URL.Query().Get("has")}
		if last := r.Header.Get("Last-Event-ID"); last != "" {
			stream.has = last
		}
		for p.isOpen(r) {
			s := p.snapshot(r.Context())
			if stream.send(s.fragment(r, v), s.Clock()) != nil {
				return
			}
			p.wait(r, s)
		}
	}
}

func (p *Page) isOpen(r *http.Request) bool {
	select {
	case <-p.closed:
		return false
	default:
		return r.Context().Err() == nil
	}
}

// wait waits until s does not serve any more, or the page is gone.
func (p *Page) wait(r *http.Request, s *snapshot) {
	if p.sleep(r, s.taken.Add(maxAge).Sub(p.clock.Now()), s.changed) {
		p.sleep(r, s.taken.Add(s.pace()).Sub(p.clock.Now()), nil)
	}
}

// sleep waits until d has passed or something has changed, and returns whether the page is still open.
func (p *Page) sleep(r *http.Request, d time.Duration, changed <-chan struct{}) bool {
	if d <= 0 {
		return p.isOpen(r)
	}
	timer := p.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-changed:
		return true
	case <-r.Context().Done():
	case <-p.closed:
	}
	return false
}

// stream is how one open page is written to.
type stream struct {
	to      http.ResponseWriter
	control *http.ResponseController
	within  time.Duration
	has     string // the Hash of what the page shows
}

// send sends f where the page does not show it yet, and else the time alone, which finds out that it is gone.
func (s *stream) send(f *fragment, at string) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(s.within)); err != nil {
		return err // a page that does not read would be waited for without an end
	}
	if f.Hash == s.has {
		if _, err := fmt.Fprintf(s.to, "event: same\ndata: %s\n\n", at); err != nil {
			return err
		}
		return s.control.Flush()
	}
	html := strings.ReplaceAll(strings.ReplaceAll(string(f.HTML), "\r", ""), "\n", "\ndata: ")
	if _, err := fmt.Fprintf(s.to, "event: page\nid: %s\ndata: %s\ndata: %s\n\n", f.Hash, at, html); err != nil {
		return err
	}
	s.has = f.Hash
	return s.control.Flush()
}
