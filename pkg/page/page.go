package page

import (
	"embed"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"

	"fanout/pkg/api"
)

// Page serves the pages.
type Page struct {
	source api.Source
	clock  clock.Clock
	mux    *http.ServeMux

	mu  sync.Mutex
	now *snapshot // nil until the first request

	streams    atomic.Int32
	maxStreams int32
	writeTime  time.Duration
	closed     chan struct{}
	close      sync.Once
}

//go:embed assets
var embedded embed.FS

// policy lets a page load what is served here and nothing else, and has nothing in it that runs or looks otherwise than the files in
// assets say.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const (
	// writeTime is how long a page that does not read is waited for.
	writeTime = 10 * time.Second
	// maxStreams is how many pages may be open.
	maxStreams = 500
)

// New returns the pages of what source knows. Close it.
func New(source api.Source, clock clock.Clock) *Page {
	p := &Page{source: source, clock: clock, mux: http.NewServeMux(), closed: make(chan struct{}), maxStreams: maxStreams, writeTime: writeTime}
	assets, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // it is embedded, or it does not compile
	}
	p.mux.Handle("/assets/", http.StripPrefix("/assets/", http.FileServerFS(assets)))
	for path, view := range map[string]view{
		"/{$}":                         matrixView,
		"/canaries/{namespace}/{name}": canaryView,
		"/agents/{agent}":              agentView,
	} {
		p.mux.HandleFunc(path, p.serveWhole(view))
		p.mux.HandleFunc("/events"+path, p.serveStream(view))
	}
	p.mux.HandleFunc("/", p.serveWhole(nowhereView))
	p.mux.HandleFunc("/events/", p.serveStream(nowhereView))
	return p
}

// Close ends all streams, and lets no new one begin.
func (p *Page) Close() { p.close.Do(func() { close(p.closed) }) }

// ServeHTTP implements http.Handler. It answers to this host's own names alone, since it does not ask who is asking.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.serve(w, r, OfThisHost)
}

// Anywhere returns the pages for those who have been asked who they are: it answers to any name.
func (p *Page) Anywhere() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, func(string) bool { return true }) })
}

func (p *Page) serve(w http.ResponseWriter, r *http.Request, answersTo func(host string) bool) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	switch {
	case !answersTo(r.Host):
		http.Error(w, "ask for this page by the name localhost", http.StatusMisdirectedRequest)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "nothing can be changed here: the methods are GET and HEAD", http.StatusMethodNotAllowed)
	default:
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(p.writeTime)) // where there is none, the server's own holds
		p.mux.ServeHTTP(w, r)
	}
}

// OfThisHost tells whether a request that was sent to host was sent by a name that is always this host's own. Somebody else's page, in the
// browser of a person who forwards a port, could have its own name lead here and would then read all of this.
func OfThisHost(host string) bool {
	if name, port, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}

// serveWhole answers with the page.
func (p *Page) serveWhole(v view) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := p.snapshot(r.Context())
		shown := s.fragment(r, v)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(shown.code)
		if r.Method != http.MethodHead {
			_ = templates.ExecuteTemplate(w, "page.html", whole{Fragment: shown, Snapshot: s}) // whoever asked may be gone
		}
	}
}

// whole is a page, and of what moment.
type whole struct {
	Fragment *fragment
	Snapshot *snapshot
}
