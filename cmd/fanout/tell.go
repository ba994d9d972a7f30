package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"fanout/pkg/api"
	"fanout/pkg/page"
)

// source is what this process tells: what its controller does while that works, and until then who may know more.
type source struct {
	*flags
	health *health

	mu      sync.Mutex
	works   api.Source    // nil while it stands by
	changed chan struct{} // closed when works is another
}

var _ api.Source = (*source)(nil)

func newSource(health *health, f *flags) *source {
	return &source{flags: f, health: health, changed: make(chan struct{})}
}

// tellOf has it tell what works does, until done is called.
func (s *source) tellOf(works api.Source) (done func()) {
	s.become(works)
	return func() { s.become(nil) }
}

func (s *source) become(works api.Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.works = works
	close(s.changed)
	s.changed = make(chan struct{})
}

// now returns what works, or why nothing does.
func (s *source) now() (api.Source, error) {
	s.mu.Lock()
	works := s.works
	s.mu.Unlock()
	if works != nil {
		return works, nil
	}
	lease := s.leaderElection
	leader := ""
	if elector := s.health.leader.Load(); elector != nil && !elector.IsLeader() {
		leader = elector.GetLeader()
	}
	switch {
	case !s.health.ready.Load():
		return nil, fmt.Errorf("%w: the hub has not answered yet, or fanout is stopping", api.ErrNotKnown)
	case leader == "":
		return nil, fmt.Errorf("%w: nobody works at the moment; ask again in a few seconds", api.ErrNotKnown)
	default:
		return nil, fmt.Errorf("%w: this process stands by; ask the one that holds the Lease %s/%s, which is %s", api.ErrNotKnown, lease.ResourceNamespace, lease.ResourceName, leader)
	}
}

// Agents implements api.Source.
func (s *source) Agents(ctx context.Context, namespaces ...string) (answer api.Agents, err error) {
	works, err := s.now()
	if err != nil {
		return answer, err
	}
	return works.Agents(ctx, namespaces...)
}

// Canaries implements api.Source.
func (s *source) Canaries(ctx context.Context, namespace string) (answer api.Canaries, err error) {
	works, err := s.now()
	if err != nil {
		return answer, err
	}
	return works.Canaries(ctx, namespace)
}

// Canary implements api.Source.
func (s *source) Canary(ctx context.Context, namespace, name string) (answer api.OneCanary, err error) {
	works, err := s.now()
	if err != nil {
		return answer, err
	}
	return works.Canary(ctx, namespace, name)
}

// Find implements api.Source.
func (s *source) Find(ctx context.Context, agent, namespace, name string) (answer api.OneFound, err error) {
	works, err := s.now()
	if err != nil {
		return answer, err
	}
	return works.Find(ctx, agent, namespace, name)
}

// Changed implements api.Source. What works tells when it stops, too.
func (s *source) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.works != nil {
		return s.works.Changed()
	}
	return s.changed
}

// tells tells whether anything is to be served at --api-bind-address.
func (f *flags) tells() bool { return f.apiBindAddress != "" && f.apiBindAddress != "0" }

// tell serves what source tells until stop is called.
func tell(logger klog.Logger, source api.Source, f *flags) (stop func(), err error) {
	if !f.tells() {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", f.apiBindAddress)
	if err != nil {
		return nil, fmt.Errorf("listen on --api-bind-address: %w", err)
	}
	mux, pages := http.NewServeMux(), page.New(source, clock.RealClock{})
	mux.Handle("/api/", api.NewHandler(source))
	mux.Handle("/", pages)
	served := serve(listener, asLocalhost(mux))
	logger.Info("Serving /api/v1/ and the page", "address", listener.Addr().String())
	return func() {
		pages.Close() // open pages would be waited for
		served.stop()
	}, nil
}

// asLocalhost answers what is asked for by a name of this host alone, or by its address. A page on another host in the browser of somebody who
// forwards a port could have its own name lead here, and read everything.
func asLocalhost(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		isAddress := net.ParseIP(strings.Trim(host, "[]")) != nil
		if !isAddress && strings.Contains(host, ".") { // names without a dot are nobody's elsewhere
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusMisdirectedRequest)
			_ = json.NewEncoder(w).Encode(api.Problem{Error: "ask for this by the name localhost"})
			return
		}
		handler.ServeHTTP(w, r)
	})
}
