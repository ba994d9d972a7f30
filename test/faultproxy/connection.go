package faultproxy

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// listener takes the connections that faults happen to.
type listener struct {
	net.Listener
	proxy *Proxy

	mu   sync.Mutex
	open map[*connection]bool
}

// Accept implements net.Listener. While the proxy is cut off, whoever comes is turned away.
func (l *listener) Accept() (net.Conn, error) {
	for {
		taken, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &connection{Conn: taken, listener: l, closed: make(chan struct{})}
		l.mu.Lock()
		l.open[c] = true
		l.mu.Unlock()
		// Looked at after it is among the open ones: a cut that comes now breaks it there.
		if f, _ := l.proxy.active(cut); f == nil {
			return c, nil
		}
		c.reset()
	}
}

func (l *listener) all() []*connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*connection, 0, len(l.open))
	for c := range l.open {
		all = append(all, c)
	}
	return all
}

func (l *listener) reset() {
	for _, c := range l.all() {
		c.reset()
	}
}

func (l *listener) silence() {
	for _, c := range l.all() {
		c.silent.Store(true)
	}
}

// connection is a client's, beneath TLS.
type connection struct {
	net.Conn
	listener *listener
	silent   atomic.Bool

	once   sync.Once
	closed chan struct{}
}

// Read implements net.Conn. What comes in over a silent connection is lost.
func (c *connection) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.silent.Load() {
			return n, err
		}
	}
}

// Write implements net.Conn. It is where blackholes and throttles have their effect.
func (c *connection) Write(b []byte) (written int, err error) {
	for len(b) > 0 {
		if c.silent.Load() {
			return written + len(b), nil
		}
		if f, changed := c.listener.proxy.active(blackhole); f != nil {
			if err := c.wait(nil, changed); err != nil {
				return written, err
			}
			continue
		}
		part := b
		limit, changed := c.listener.proxy.active(throttle)
		if limit != nil {
			part = b[:min(len(b), max(1, limit.rate/throttleSteps))]
		}
		n, err := c.Conn.Write(part)
		written, b = written+n, b[n:]
		if err != nil {
			return written, err
		}
		if limit != nil {
			timer := time.NewTimer(time.Duration(n) * time.Second / time.Duration(limit.rate))
			err := c.wait(timer.C, changed)
			timer.Stop()
			if err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// throttleSteps is how often per second a throttled connection passes something on.
const throttleSteps = 20

func (c *connection) wait(due <-chan time.Time, changed <-chan struct{}) error {
	select {
	case <-due:
	case <-changed:
	case <-c.closed:
		return net.ErrClosed
	case <-c.listener.proxy.stopped.Done():
		return net.ErrClosed
	}
	return nil
}

// Close implements net.Conn.
func (c *connection) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		close(c.closed)
		c.listener.mu.Lock()
		delete(c.listener.open, c)
		c.listener.mu.Unlock()
		err = c.Conn.Close()
	})
	return err
}

// reset closes c with an RST, and what has not been sent yet is lost.
func (c *connection) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
