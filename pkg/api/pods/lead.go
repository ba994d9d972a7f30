package pods

import (
	"context"
	"net/http"
	"sync"

	"fanout/pkg/api"
)

// Leader sends requests to the controller that leads, whichever that is by then.
type Leader struct {
	source *Source

	mu  sync.Mutex
	via http.RoundTripper
}

// noNamespace is one of which there are no Canaries: of an answer about it only who answers is wanted.
const noNamespace = "-"

// Lead returns what leads to the controller that tells for all, nil where several share the members, or an error where none works.
func (s *Source) Lead(ctx context.Context) (*Leader, error) {
	l := &Leader{source: s}
	via, err := l.find(ctx)
	if via == nil {
		return nil, err
	}
	l.via = via
	return l, nil
}

// find returns the way to the controller that leads, nil where several share.
func (l *Leader) find(ctx context.Context) (http.RoundTripper, error) {
	type one struct {
		controller *controller
		replica    string
	}
	answers, err := ask(ctx, l.source, func(c api.Source) (one, api.Teller, error) {
		answer, err := c.Canaries(ctx, noNamespace)
		return one{c.(*controller), answer.Teller.Replica}, answer.Teller, err
	})
	if err != nil || answers[0].replica != "" {
		return nil, err
	}
	return answers[0].controller.via, nil
}

// RoundTrip implements http.RoundTripper, for requests without a body. Where the controller is gone, or stands by, it looks for another one.
func (l *Leader) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	via := l.via
	l.mu.Unlock()
	response, err := via.RoundTrip(r)
	if err == nil && response.StatusCode != http.StatusServiceUnavailable {
		return response, nil
	}
	other, findErr := l.find(r.Context())
	if findErr != nil || other == nil {
		return response, err
	}
	if response != nil {
		response.Body.Close()
	}
	l.mu.Lock()
	l.via = other
	l.mu.Unlock()
	return other.RoundTrip(r)
}
