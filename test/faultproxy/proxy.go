package faultproxy

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"k8s.io/client-go/rest"

	"fanout/test/selfsigned"
)

// Proxy stands in front of one API server.
type Proxy struct {
	server    *http.Server
	forward   *httputil.ReverseProxy
	transport *http.Transport
	listener  *listener
	ca        []byte // PEM

	stopped context.Context // ends what waits in the proxy
	stop    context.CancelFunc

	mu        sync.Mutex
	stopping  bool           // no request begins any more
	running   sync.WaitGroup // requests in the proxy, and the server; begun under mu
	observers []func(*http.Request, string)
	holds     []*Hold
	faults    []*fault
	changed   chan struct{} // closed, and made anew, when faults change
}

// Start starts a proxy in front of the server that backend leads to, of which it uses the address and the CA only.
// It stops at the end of the test, and leaves nothing behind.
func Start(t testing.TB, backend *rest.Config) *Proxy {
	t.Helper()
	p, err := newProxy(backend)
	if err != nil {
		t.Fatalf("start a fault proxy: %v", err)
	}
	t.Cleanup(p.close)
	return p
}

func newProxy(backend *rest.Config) (*Proxy, error) {
	target, err := url.Parse(backend.Host)
	if err != nil {
		return nil, err
	}
	trust, err := rest.TLSConfigFor(rest.AnonymousClientConfig(backend))
	if err != nil {
		return nil, err
	}
	ca, serving, err := selfsigned.Certificate("fault proxy")
	if err != nil {
		return nil, err
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{ca: ca, changed: make(chan struct{})}
	p.stopped, p.stop = context.WithCancel(context.Background())
	p.listener = &listener{Listener: taken, proxy: p, open: map[*connection]bool{}}
	p.transport = &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true, DisableCompression: true}
	silent := log.New(io.Discard, "", 0) // broken connections are what it is for
	p.forward = &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:      p.transport,
		ModifyResponse: p.keepBack,
		ErrorLog:       silent,
		// What the server does to the proxy, the proxy does to the client.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p.server = &http.Server{Handler: p, TLSConfig: serving, ErrorLog: silent}
	p.running.Go(func() { _ = p.server.ServeTLS(p.listener, "", "") })
	return p, nil
}

// close stops the proxy and waits until everything that it started has ended.
func (p *Proxy) close() {
	p.mu.Lock()
	p.stopping = true
	p.mu.Unlock()
	p.stop()
	p.Heal()
	_ = p.server.Close()
	p.listener.reset()
	p.running.Wait()
	p.transport.CloseIdleConnections()
}

// Address is the host and port of the proxy.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Config returns a client configuration for the way through the proxy, with the bearer token of identity.
func (p *Proxy) Config(identity *rest.Config) *rest.Config {
	return &rest.Config{
		Host:            "https://" + p.Address(),
		BearerToken:     identity.BearerToken,
		TLSClientConfig: rest.TLSClientConfig{CAData: p.ca},
		QPS:             -1,
	}
}

// Observe has see called with each request from now on, before anything else is done with it, and with the value of
// its Authorization header. Several requests may be seen at the same time. See must not change the request.
func (p *Proxy) Observe(see func(request *http.Request, authorization string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.observers = append(p.observers, see)
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	observers, ok := p.begin()
	if !ok {
		panic(http.ErrAbortHandler)
	}
	defer p.running.Done()
	for _, see := range observers {
		see(r, r.Header.Get("Authorization"))
	}
	request := RequestOf(r)
	if h := p.takeHold(request); h != nil {
		h.run()
	}
	met := p.meet(request)
	for _, f := range met {
		if f.kind == delay && !p.wait(r.Context(), f) {
			panic(http.ErrAbortHandler)
		}
	}
	for _, f := range met {
		if f.kind == answer {
			writeStatus(w, f.code, request)
			return
		}
	}
	p.forward.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), metKey{}, met)))
}

// metKey is under which a request's context holds the faults that it met.
type metKey struct{}

// keepBack keeps an answer back that is to be slow.
func (p *Proxy) keepBack(response *http.Response) error {
	ctx := response.Request.Context()
	met, _ := ctx.Value(metKey{}).([]*fault)
	for _, f := range met {
		if f.kind == slow && !p.wait(ctx, f) {
			return fmt.Errorf("wait with the answer: %w", context.Cause(ctx))
		}
	}
	return nil
}

// begin counts a request in, unless the proxy is stopping.
func (p *Proxy) begin() (observers []func(*http.Request, string), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping {
		return nil, false
	}
	p.running.Add(1)
	return p.observers, true
}
