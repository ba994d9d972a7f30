package shard

import (
	"context"
	"fmt"
	"net"
	"net/http"
)

// Dial opens a connection, as net.Dialer does.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// FenceDial returns a Dial whose connections break when something is to be sent over them while the replica may not write. That
// is asked right before it is handed to the kernel: a process that was paused on the way there, for however long, sends nothing
// any more.
func (s *Share) FenceDial(dial Dial) Dial {
	if s == nil {
		return dial
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return fencedConn{conn, s}, nil
	}
}

type fencedConn struct {
	net.Conn
	share *Share
}

func (c fencedConn) Write(p []byte) (int, error) {
	if err := c.share.permit(); err != nil {
		_ = c.Close()
		return 0, fmt.Errorf("not sent: %w", err)
	}
	return c.Conn.Write(p)
}

// Fence returns a transport that sends no write while the replica may not write. It is for where other things are sent as well,
// that have to go on.
func (s *Share) Fence(to http.RoundTripper) http.RoundTripper {
	if s == nil {
		return to
	}
	return fence{s, to}
}

type fence struct {
	share *Share
	to    http.RoundTripper
}

func (f fence) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodGet {
		if err := f.share.permit(); err != nil {
			if request.Body != nil {
				_ = request.Body.Close()
			}
			return nil, fmt.Errorf("not sent: %w", err)
		}
	}
	return f.to.RoundTrip(request)
}

// WrappedRoundTripper has client-go find the transport behind the fence.
func (f fence) WrappedRoundTripper() http.RoundTripper { return f.to }
