package simulator

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// faults are what is wrong with a member.
type faults struct {
	latency atomic.Int64                  // that each answer, and each event of a watch, is late
	hole    atomic.Pointer[chan struct{}] // nil, or closed when the member answers again
}

// delay makes a request as late as the member is slow.
func (f *faults) delay(ctx context.Context) error {
	latency := time.Duration(f.latency.Load())
	if latency == 0 {
		return nil
	}
	return sleep(ctx, latency)
}

// late waits until what happened then may be told.
func (f *faults) late(ctx context.Context, then time.Time) error {
	latency := time.Duration(f.latency.Load())
	if latency == 0 {
		return nil
	}
	return sleep(ctx, latency-time.Since(then))
}

func sleep(ctx context.Context, how time.Duration) error {
	timer := time.NewTimer(how)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// blackhole has connections open, and be opened, and nothing come through; what was sent meanwhile comes when that ends.
func (f *faults) blackhole(on bool) {
	if on {
		end := make(chan struct{})
		f.hole.CompareAndSwap(nil, &end)
	} else if end := f.hole.Swap(nil); end != nil {
		close(*end)
	}
}

// door is where a member is reached: a listener as long as the member lives, and the connections that came through it.
type door struct {
	net.Listener
	member *member

	mu    sync.Mutex
	conns map[*conn]struct{}
}

func (d *door) Accept() (net.Conn, error) {
	accepted, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: accepted, door: d, closed: make(chan struct{})}
	d.mu.Lock()
	d.conns[c] = struct{}{}
	d.mu.Unlock()
	return c, nil
}

// shut breaks all connections, and refuses new ones.
func (d *door) shut() {
	_ = d.Listener.Close()
	d.mu.Lock()
	var open []*conn
	for c := range d.conns {
		open = append(open, c)
	}
	d.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
}

// conn is a connection to a member, through which nothing comes while that is a black hole.
type conn struct {
	net.Conn
	door   *door
	once   sync.Once
	closed chan struct{}
}

func (c *conn) pass() error {
	if end := c.door.member.hole.Load(); end != nil {
		select {
		case <-*end:
		case <-c.closed:
			return net.ErrClosed
		}
	}
	return nil
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil {
		err = c.pass()
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	if err := c.pass(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.door.mu.Lock()
		delete(c.door.conns, c)
		c.door.mu.Unlock()
	})
	return c.Conn.Close()
}
