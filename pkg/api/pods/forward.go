package pods

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// forwarder makes connections to a pod's Port, each over a connection to the hub of its own: on a shared one, what was sent to a pod that refused
// it can stand in the way of all that comes after it.
type forwarder struct {
	config *rest.Config
	url    *url.URL
}

func newForwarder(config *rest.Config, kube kubernetes.Interface, pod *corev1.Pod) *forwarder {
	config = rest.CopyConfig(config)
	config.Timeout = 0 // which would end the connection, whatever goes over it
	return &forwarder{config, kube.CoreV1().RESTClient().Post().Namespace(pod.Namespace).Resource("pods").Name(pod.Name).SubResource("portforward").URL()}
}

// dial connects to the hub. client-go's dialers keep the connection that they made last, so that each is good for one.
func (f *forwarder) dial() (httpstream.Connection, error) {
	transport, upgrader, err := spdy.RoundTripperFor(f.config)
	if err != nil {
		return nil, err
	}
	overSPDY := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, f.url)
	overWebsocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(f.url, f.config)
	if err != nil {
		return nil, err
	}
	old := func(err error) bool { return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err) }
	hub, _, err := portforward.NewFallbackDialerForStreaming(overWebsocket, overSPDY, old).Dial(portforward.PortForwardProtocolV1Name)
	return hub, err
}

// DialContext connects to the pod's port, whatever the address says.
func (f *forwarder) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	hub, err := f.dial()
	if err != nil {
		return nil, err
	}
	c := &conn{hub: hub, told: make(chan struct{})}
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(Port))
	headers.Set(corev1.PortForwardRequestIDHeader, "1")
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	faults, err := hub.CreateStream(headers)
	if err != nil {
		c.Close()
		return nil, err
	}
	faults.Close() // nothing is ever written to it from here
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	if c.Stream, err = hub.CreateStream(headers); err != nil {
		c.Close()
		return nil, err
	}
	go c.listen(faults)
	return c, ctx.Err()
}

// conn is one connection to the pod.
type conn struct {
	httpstream.Stream
	hub   httpstream.Connection
	told  chan struct{} // closed when fault is set
	fault string
}

// listen hears from the pod's node that the connection does not come about, such as that nothing listens there.
func (c *conn) listen(faults io.Reader) {
	text, _ := io.ReadAll(io.LimitReader(faults, 4096))
	c.fault = strings.TrimSpace(string(text))
	close(c.told)
	if c.fault != "" {
		c.Close()
	}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Stream.Read(p)
	if n == 0 {
		err = c.why(err)
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Stream.Write(p)
	return n, c.why(err)
}

// why returns what the pod's node said, where that is what ended the connection, and err where it said nothing.
func (c *conn) why(err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-c.told:
		if c.fault != "" {
			return fmt.Errorf("forwarded by the hub: %s", c.fault)
		}
	case <-time.After(time.Second): // the two streams end in any order
	}
	return err
}

// Close ends the connection to the hub, which may be done twice.
func (c *conn) Close() error { return c.hub.Close() }

func (c *conn) LocalAddr() net.Addr              { return address{} }
func (c *conn) RemoteAddr() net.Addr             { return address{} }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// address is that of either end of a forwarded connection.
type address struct{}

func (address) Network() string { return "portforward" }
func (address) String() string  { return "pod" }
