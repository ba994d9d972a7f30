package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// serviceAddress is what the check of the story looks at: a service that each cluster has, under the same name.
const serviceAddress = "api.shop.svc:8080"

// latencies are how long each cluster's service takes to answer.
var latencies = map[string]time.Duration{
	hubName: time.Millisecond,
	euWest:  12 * time.Millisecond,
	usEast:  45 * time.Millisecond,
	apSouth: 130 * time.Millisecond,
	euNorth: 20 * time.Millisecond,
}

// service is one cluster's. It really answers, on this machine, and who asks it to break is told 500 until it is mended.
type service struct {
	latency  time.Duration
	listener net.Listener
	server   *http.Server
	broken   atomic.Bool
}

func newService(latency time.Duration) (*service, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the checks: %w", err)
	}
	s := &service{latency: latency, listener: listener}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", s.health)
	mux.HandleFunc("POST /break", func(http.ResponseWriter, *http.Request) { s.broken.Store(true) })
	mux.HandleFunc("POST /mend", func(http.ResponseWriter, *http.Request) { s.broken.Store(false) })
	s.server = &http.Server{Handler: mux}
	return s, nil
}

func (s *service) health(answer http.ResponseWriter, request *http.Request) {
	select {
	case <-time.After(s.latency):
	case <-request.Context().Done():
	}
	if s.broken.Load() {
		answer.WriteHeader(http.StatusInternalServerError)
	}
}

// serve answers until close.
func (s *service) serve() { _ = s.server.Serve(s.listener) }

func (s *service) close() { _ = s.server.Close() }

// dial has the names of services lead to this one, as they lead to a cluster's own, and all others where they lead on this machine.
func (s *service) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, _, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".svc") {
		address = s.listener.Addr().String()
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// turn has it break or be mended.
func (s *service) turn(how string) edit {
	url := fmt.Sprintf("http://%s/%s", s.listener.Addr(), how)
	return edit{
		command: "curl -X POST " + url,
		do: func(ctx context.Context) error {
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
			if err != nil {
				return err
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return err
			}
			if response.StatusCode != http.StatusOK {
				err = errors.New(response.Status)
			}
			return errors.Join(err, response.Body.Close())
		},
	}
}
