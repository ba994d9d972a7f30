package faultproxy

import (
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestForwards(t *testing.T) {
	for name, protocols := range map[string][]string{"HTTP/2": nil, "HTTP/1.1": {"http/1.1"}} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			p := through(t, b)
			response, err := newClient(t, p, protocols...).get(t, "/api/v1/namespaces?limit=1")
			if err != nil {
				t.Fatal(err)
			}
			if got := response.Header.Get("Got"); got != "HTTP/2.0 Bearer one" {
				t.Errorf("the server got %q", got)
			}
			if want := map[string]int{"HTTP/2": 2, "HTTP/1.1": 1}[name]; response.ProtoMajor != want {
				t.Errorf("the client spoke %s", response.Proto)
			}
			if got := <-b.arrived; got != "/api/v1/namespaces" {
				t.Errorf("the path was %q", got)
			}
		})
	}
}

// A watch is passed on as it comes: each line is read before the next is sent.
func TestStreams(t *testing.T) {
	b := newBackend(t)
	stream := newClient(t, through(t, b)).stream(t, b)
	for _, line := range []string{"second", "third"} {
		b.lines <- line
		expectRead(t, stream, line)
	}
}

func TestObserves(t *testing.T) {
	b := newBackend(t)
	p := through(t, b)
	var mu sync.Mutex
	var seen []string
	p.Observe(func(r *http.Request, authorization string) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.URL.Path+" "+authorization)
	})
	newClient(t, p).mustGet(t, "/api")
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff([]string{"/api Bearer one"}, seen); diff != "" {
		t.Error(diff)
	}
}

// A server that is down is a server that is down: the client gets no answer, and no made-up one.
func TestBackendDown(t *testing.T) {
	b := newBackend(t)
	c := newClient(t, through(t, b))
	b.Close()
	if got, err := c.text(t, "/api"); err == nil {
		t.Errorf("an answer came: %q", got)
	}
}

// The end of a test ends what waits in the proxy.
func TestEndsWhileWaiting(t *testing.T) {
	b := newBackend(t)
	p := through(t, b)
	c := newClient(t, p)
	p.Delay(limit, Match{Path: "/delayed"})
	c.stream(t, b)
	c.begin(t, "/delayed")
	p.Blackhole()
	c.begin(t, "/into-the-hole")
	for range 2 {
		<-b.arrived
	}
	p.close()
}
