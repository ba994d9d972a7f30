package pods

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/streaming/pkg/httpstream"
)

// ended is what a connection and its streams are once the connection is closed.
type ended struct {
	httpstream.Connection
	httpstream.Stream
}

var errEnded = errors.New("close sent")

func (ended) Read([]byte) (int, error)  { return 0, errEnded }
func (ended) Write([]byte) (int, error) { return 0, errEnded }
func (ended) Close() error              { return nil }

// What the pod's node says comes before, between or after what is sent to the pod: it is the reason in any order.
func TestWhatEndedAConnection(t *testing.T) {
	for _, test := range []struct {
		said string
		want string
	}{
		{"dial tcp4 127.0.0.1:8082: connect: connection refused\n", "forwarded by the hub: dial tcp4 127.0.0.1:8082: connect: connection refused"},
		{"", errEnded.Error()},
	} {
		c := &conn{Stream: ended{}, hub: ended{}, told: make(chan struct{})}
		c.listen(strings.NewReader(test.said))
		_, read := c.Read(nil)
		_, wrote := c.Write(nil)
		if read.Error() != test.want || wrote.Error() != test.want {
			t.Errorf("after %q reading says %q and writing %q, want %q", test.said, read, wrote, test.want)
		}
	}
}
