package simulator

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// request is one request to a member, taken apart.
type request struct {
	*http.Request
	verb, resource, subresource, namespace, name string
	query                                        url.Values
}

// parse takes a request apart; ok is false where it is for nothing that there is.
func parse(r *http.Request) (parsed request, ok bool) {
	parsed = request{Request: r, query: r.URL.Query()}
	rest, ok := strings.CutPrefix(r.URL.Path, "/apis/canaries.flanksource.com/v1/")
	if !ok {
		rest, ok = strings.CutPrefix(r.URL.Path, "/api/v1/")
		parsed.resource, parsed.name, _ = strings.Cut(rest, "/")
		parsed.verb = verbOf(r.Method, parsed)
		return parsed, ok && parsed.resource == "namespaces"
	}
	if inside, ok := strings.CutPrefix(rest, "namespaces/"); ok {
		parsed.namespace, rest, _ = strings.Cut(inside, "/")
	}
	parsed.resource, rest, _ = strings.Cut(rest, "/")
	parsed.name, parsed.subresource, _ = strings.Cut(rest, "/")
	parsed.verb = verbOf(r.Method, parsed)
	return parsed, parsed.resource == canaries.Resource && (parsed.subresource == "" || parsed.subresource == "status")
}

func verbOf(method string, r request) string {
	switch method {
	case http.MethodGet:
		switch {
		case r.name != "":
			return "get"
		case r.query.Get("watch") == "true" || r.query.Get("watch") == "1":
			return "watch"
		}
		return "list"
	case http.MethodPost:
		return "create"
	case http.MethodPatch:
		if r.Header.Get("Content-Type") == applyType {
			return "apply"
		}
		return "patch"
	default:
		return strings.ToLower(method)
	}
}

const applyType = "application/apply-patch+yaml"

// ServeHTTP answers a member's requests.
func (m *member) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parsed, ok := parse(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	m.counts.request(parsed.verb, parsed.resource)
	if err := m.delay(r.Context()); err != nil {
		panic(http.ErrAbortHandler)
	}
	if r.Header.Get("Authorization") != "Bearer "+m.token {
		m.answer(w, nil, apierrors.NewUnauthorized("Unauthorized"))
		return
	}
	handle := m.canary
	if parsed.resource == "namespaces" {
		handle = m.space
	}
	handle(w, parsed)
}

// canary answers a request that is about Canaries.
func (m *member) canary(w http.ResponseWriter, r request) {
	switch r.verb {
	case "list":
		m.serveList(w, r)
	case "watch":
		m.serveWatch(w, r)
	case "get":
		m.mu.Lock()
		found := m.objects[key{r.namespace, r.name}]
		m.mu.Unlock()
		if found == nil {
			m.answer(w, nil, apierrors.NewNotFound(canaries, r.name))
			return
		}
		m.answerObject(w, http.StatusOK, found)
	case "apply", "patch", "delete":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		switch r.verb {
		case "apply":
			m.serveApply(w, r, body)
		case "patch":
			m.servePatch(w, r, body)
		default:
			m.serveDelete(w, r, body)
		}
	default:
		m.answer(w, nil, apierrors.NewMethodNotSupported(canaries, r.verb))
	}
}

// waitFor waits for a channel, or until the request is over.
func waitFor(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
