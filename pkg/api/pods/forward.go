package pods

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// forwarder makes connections to a pod's Port. They share one to the hub.
type forwarder struct {
	dialer httpstream.Dialer

	mu       sync.Mutex
	hub      httpstream.Connection
	requests atomic.Int64
}

// newForwarder returns one that has connected to nothing yet.
func newForwarder(config *rest.Config, kube kubernetes.Interface, pod *corev1.Pod) (*forwarder, error) {
	config = rest.CopyConfig(config)
	config.Timeout = 0 // which would end the connection, whatever goes over it
	url := kube.CoreV1().RESTClient().Post().Namespace(pod.Namespace).Resource("pods").Name(pod.Name).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	overSPDY := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	overWebsocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(url, config)
	if err != nil {
		return nil, err
	}
	old := func(err error) bool { return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err) }
	return &forwarder{dialer: portforward.NewFallbackDialerForStreaming(overWebsocket, overSPDY, old)}, nil
}

// connect returns the connection to the hub, a new one where there is none that works.
func (f *forwarder) connect() (httpstream.Connection, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hub != nil {
		select {
		case <-f.hub.CloseChan():
		default:
			return f.hub, nil
		}
	}
	hub, _, err := f.dialer.Dial(portforward.PortForwardProtocolV1Name)
	if err != nil {
		return nil, err
	}
	f.hub = hub
	return hub, nil
}

// DialContext connects to the pod's port, whatever the address says.
func (f *forwarder) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	hub, err := f.connect()
	if err != nil {
		return nil, err
	}
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(Port))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.FormatInt(f.requests.Add(1), 10))
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	faults, err := hub.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	faults.Close() // nothing is ever written to it from here
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := hub.CreateStream(headers)
	if err != nil {
		hub.RemoveStreams(faults)
		return nil, err
	}
	c := &conn{Stream: data, faults: faults, hub: hub, told: make(chan struct{})}
	go c.listen()
	return c, ctx.Err()
}

func (f *forwarder) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hub != nil {
		f.hub.Close()
	}
}

// conn is one connection to the pod.
type conn struct {
	httpstream.Stream
	faults httpstream.Stream
	hub    httpstream.Connection
	once   sync.Once
	told   chan struct{}
	fault  string
}

// listen hears from the pod's node that the connection does not come about, such as that nothing listens there. The next one then goes over
// another connection to the hub, as kubectl's do: what was sent already may stand in the way of all that comes after it on this one.
func (c *conn) listen() {
	text, _ := io.ReadAll(io.LimitReader(c.faults, 4096))
	c.fault = strings.TrimSpace(string(text))
	close(c.told)
	if c.fault != "" {
		c.Close()
		c.hub.Close()
	}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Stream.Read(p)
	if n == 0 && err != nil {
		select {
		case <-c.told:
			if c.fault != "" {
				return 0, fmt.Errorf("forwarded by the hub: %s", c.fault)
			}
		case <-time.After(time.Second): // the two streams end in any order
		}
	}
	return n, err
}

func (c *conn) Close() error {
	c.once.Do(func() {
		_ = c.Reset()
		_ = c.faults.Reset()
		c.hub.RemoveStreams(c.Stream, c.faults)
	})
	return nil
}

func (c *conn) LocalAddr() net.Addr              { return address{} }
func (c *conn) RemoteAddr() net.Addr             { return address{} }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// address is that of either end of a forwarded connection.
type address struct{}

func (address) Network() string { return "portforward" }
func (address) String() string  { return "pod" }
