package simulator

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"fanout/test/selfsigned"
)

// Options say what is simulated.
type Options struct {
	// Members is how many there are.
	Members int
	// CRD is the path of the Canary CRD that each has.
	CRD string
	// Statuses are paths of recorded Canaries, whose statuses a storm writes.
	Statuses []string
}

// Simulator serves members until Stop.
type Simulator struct {
	schema   *canarySchema
	share    shared
	shapes   shapes
	counts   counts
	arrivals arrivals
	storm    storm
	members  []*member
	server   *http.Server
	serving  sync.WaitGroup

	mu    sync.Mutex
	sites []site // by member
}

// site is where a member is served.
type site struct {
	address, ca string
	config      *tls.Config
	door        *door // nil while the member is dead
}

// Start serves members, each at an address of its own.
func Start(options Options) (*Simulator, error) {
	schema, err := readSchema(options.CRD)
	if err != nil {
		return nil, err
	}
	s := &Simulator{schema: schema}
	if s.storm.statuses, err = s.readStatuses(options.Statuses); err != nil {
		return nil, err
	}
	s.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Context().Value(memberKey{}).(*member).ServeHTTP(w, r)
		}),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, memberKey{}, c.(*tls.Conn).NetConn().(*conn).door.member)
		},
		HTTP2:       &http.HTTP2Config{MaxConcurrentStreams: 100}, // kube-apiserver's
		IdleTimeout: 90 * time.Second,
		ErrorLog:    log.New(io.Discard, "", 0), // of connections that clients break
	}
	for i := range options.Members {
		ca, config, err := selfsigned.Certificate("member")
		if err != nil {
			return nil, errors.Join(err, s.Stop())
		}
		s.members = append(s.members, newMember(s, i))
		s.sites = append(s.sites, site{address: "127.0.0.1:0", ca: string(ca), config: config})
		if err := s.revive(i); err != nil {
			return nil, errors.Join(err, s.Stop())
		}
	}
	return s, nil
}

type memberKey struct{}

// revive serves a member that is dead, at the address that it had before.
func (s *Simulator) revive(index int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := &s.sites[index]
	if place.door != nil {
		return nil
	}
	listener, err := net.Listen("tcp", place.address)
	if err != nil {
		return err
	}
	place.address = listener.Addr().String()
	place.door = &door{Listener: listener, member: s.members[index], conns: map[*conn]struct{}{}}
	encrypted := tls.NewListener(place.door, place.config)
	s.serving.Go(func() { _ = s.server.Serve(encrypted) })
	return nil
}

// kill has a member refuse connections, and break those that it has.
func (s *Simulator) kill(index int) {
	s.mu.Lock()
	dead := s.sites[index].door
	s.sites[index].door = nil
	s.mu.Unlock()
	if dead != nil {
		dead.shut()
	}
}

// Stop ends all members.
func (s *Simulator) Stop() error {
	s.storm.stop()
	err := s.server.Close()
	for i := range s.members {
		s.kill(i)
	}
	s.serving.Wait()
	return err
}
