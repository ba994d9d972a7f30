package faultproxy

import (
	"context"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// limit bounds what a failing test waits for. It is no measure of anything.
const limit = 20 * time.Second

// backend is a server that says what it is asked, and streams lines for as long as it is told to.
type backend struct {
	*httptest.Server
	arrived chan string // the paths of the requests
	lines   chan string // what GET /stream answers with
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{arrived: make(chan string, 1000), lines: make(chan string)}
	b.Server = httptest.NewUnstartedServer(b)
	b.EnableHTTP2 = true
	b.StartTLS()
	t.Cleanup(b.Close)
	return b
}

// ServeHTTP implements http.Handler.
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.arrived <- r.URL.Path
	w.Header().Set("Got", r.Proto+" "+r.Header.Get("Authorization"))
	if r.URL.Path != "/stream" {
		_, _ = io.WriteString(w, r.URL.RequestURI())
		return
	}
	for {
		select {
		case line := <-b.lines:
			_, _ = io.WriteString(w, line)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// through starts a proxy in front of b.
func through(t *testing.T, b *backend) *Proxy {
	t.Helper()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.Certificate().Raw})
	return Start(t, &rest.Config{Host: b.URL, TLSClientConfig: rest.TLSClientConfig{CAData: ca}})
}

// client has connections of its own through p.
type client struct {
	*http.Client
	address string
}

func newClient(t *testing.T, p *Proxy, protocols ...string) *client {
	t.Helper()
	config := p.Config(&rest.Config{BearerToken: "one"})
	config.NextProtos = protocols
	trust, err := rest.TLSConfigFor(config)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: len(protocols) == 0}
	authenticated, err := rest.HTTPWrappersForConfig(config, transport)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{&http.Client{Transport: authenticated}, config.Host}
}

// get is a request that ends with the test.
func (c *client) get(t *testing.T, path string) (*http.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.Do(request)
	if err == nil {
		t.Cleanup(func() { response.Body.Close() })
	}
	return response, err
}

// text is the whole answer, or the error with which it ended.
func (c *client) text(t *testing.T, path string) (string, error) {
	t.Helper()
	response, err := c.get(t, path)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// begin sends a request and leaves its answer in what it returns.
func (c *client) begin(t *testing.T, path string) *pending {
	p := &pending{done: make(chan struct{})}
	p.started.Go(func() {
		defer close(p.done)
		p.text, p.err = c.text(t, path)
	})
	t.Cleanup(p.started.Wait)
	return p
}

type pending struct {
	started sync.WaitGroup
	done    chan struct{} // closed when the rest is set
	text    string
	err     error
}

// wait returns the answer once it is there.
func (p *pending) wait(t *testing.T) string {
	t.Helper()
	<-p.done // within limit
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.text
}

// isOpen tells whether no answer has come.
func (p *pending) isOpen() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// mustGet fails the test unless the server's own answer comes through.
func (c *client) mustGet(t *testing.T, path string) {
	t.Helper()
	if got, err := c.text(t, path); err != nil || got != path {
		t.Fatalf("GET %s: %q, %v", path, got, err)
	}
}

// stream opens a stream and reads its first line.
func (c *client) stream(t *testing.T, b *backend) io.Reader {
	t.Helper()
	response, err := make(chan *http.Response, 1), make(chan error, 1)
	go func() {
		r, failure := c.get(t, "/stream")
		response <- r
		err <- failure
	}()
	b.lines <- "first"
	stream := <-response
	if failure := <-err; failure != nil {
		t.Fatal(failure)
	}
	expectRead(t, stream.Body, "first")
	return stream.Body
}

func expectRead(t *testing.T, from io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(from, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v, not %q", got, err, want)
	}
}
