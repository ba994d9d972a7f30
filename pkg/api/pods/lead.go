package pods

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Leader sends requests to a controller that tells, whichever that is by then: the one that leads, or any of those that share the members.
type Leader struct {
	source *Source

	mu  sync.Mutex
	via http.RoundTripper
}

const (
	// noNamespace is one of which there are no Canaries: of an answer about it only who answers is wanted.
	noNamespace = "-"
	// leadTime is how long one controller is waited for before another is asked.
	leadTime = 10 * time.Second
)

// Lead returns what leads to a controller that tells, or an error where none does.
func (s *Source) Lead(ctx context.Context) (*Leader, error) {
	l := &Leader{source: s}
	return l, l.find(ctx)
}

// find looks for a controller that tells, and returns an error where none does.
func (l *Leader) find(ctx context.Context) error {
	found, err := ask(ctx, l.source, func(all []*controller) (*controller, error) { return first(ctx, all) })
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.via = found.via
	return nil
}

// first returns the first of them that tells.
func first(ctx context.Context, all []*controller) (*controller, error) {
	err := errNone
	for _, c := range all {
		asking, cancel := context.WithTimeout(ctx, leadTime)
		_, failed := c.Canaries(asking, noNamespace)
		cancel()
		if failed == nil {
			return c, nil
		}
		err = fmt.Errorf("ask pod %s: %w", c.pod, failed)
	}
	return nil, err
}

// RoundTrip implements http.RoundTripper, for requests without a body. Where the controller is gone, or stands by, it looks for another one.
func (l *Leader) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.roundTrip(r)
	if err == nil && response.StatusCode != http.StatusServiceUnavailable {
		return response, nil
	}
	if l.find(r.Context()) != nil {
		return response, err
	}
	if response != nil {
		response.Body.Close()
	}
	return l.roundTrip(r)
}

func (l *Leader) roundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	via := l.via
	l.mu.Unlock()
	return via.RoundTrip(r)
}
