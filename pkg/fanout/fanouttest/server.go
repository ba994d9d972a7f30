package fanouttest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"fanout/pkg/clusters"
)

// Server stands in for a member's API server where a test is about what happens around the requests: it has no
// semantics of its own. What those are is for test/integration and its real API servers to say.
type Server struct {
	// Answer returns the body of the answer to a request that neither lists nor watches; a body that holds a Status
	// is sent with its code.
	Answer func(*Call) string
	// parents are what a list of all Canaries brings, copies what one by labels does.
	Parents, Copies []*unstructured.Unstructured
	// Events, where there are any, are what a watch of copies brings after that, each a line.
	Events chan string

	mu    sync.Mutex
	calls []string
}

// Call is one request.
type Call struct {
	Method, Path string
	ContentType  string
	Body         []byte
	ctx          context.Context
}

// Never answers: it waits until the caller gives up.
func (c *Call) Never() string {
	<-c.ctx.Done()
	return ""
}

// Client returns a client of the server.
func (s *Server) Client(t testing.TB) rest.Interface {
	client, err := clusters.RESTFor(&rest.Config{Host: "https://member", QPS: -1}, &http.Client{Transport: s})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Asked returns the requests so far that neither list nor watch.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

// RoundTrip implements http.RoundTripper.
func (s *Server) RoundTrip(req *http.Request) (*http.Response, error) {
	query := req.URL.Query()
	switch {
	case query.Get("sendInitialEvents") != "": // a server that does not know streamed lists
		return answerWith(req, strings.NewReader(StatusOf(http.StatusUnprocessableEntity, "Invalid"))), nil
	case query.Get("watch") != "":
		events, end := io.Pipe()
		context.AfterFunc(req.Context(), func() { end.CloseWithError(req.Context().Err()) })
		if query.Get("labelSelector") != "" {
			go s.send(req.Context(), end)
		}
		return answerWith(req, events), nil
	case strings.HasSuffix(req.URL.Path, "/canaries") && req.Method == http.MethodGet:
		items := s.Parents
		if query.Get("labelSelector") != "" {
			items = s.Copies
		}
		list := unstructured.UnstructuredList{Object: map[string]any{
			"apiVersion": "canaries.flanksource.com/v1", "kind": "CanaryList", "metadata": map[string]any{"resourceVersion": "1"},
		}}
		for _, item := range items {
			list.Items = append(list.Items, *item)
		}
		body, err := list.MarshalJSON()
		if err != nil {
			return nil, err
		}
		return answerWith(req, strings.NewReader(string(body))), nil
	}
	s.mu.Lock()
	s.calls = append(s.calls, req.Method+" "+req.URL.Path)
	s.mu.Unlock()
	asked := &Call{Method: req.Method, Path: req.URL.Path, ContentType: req.Header.Get("Content-Type"), ctx: req.Context()}
	if req.Body != nil {
		var err error
		if asked.Body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	body := s.Answer(asked)
	if body == "" {
		return nil, req.Context().Err()
	}
	return answerWith(req, strings.NewReader(body)), nil
}

func (s *Server) send(ctx context.Context, to io.Writer) {
	for {
		select {
		case event := <-s.Events:
			_, _ = io.WriteString(to, event+"\n")
		case <-ctx.Done():
			return
		}
	}
}

func answerWith(req *http.Request, body io.Reader) *http.Response {
	code := http.StatusOK
	if text, ok := body.(*strings.Reader); ok {
		var begin [512]byte
		n, _ := text.ReadAt(begin[:], 0)
		if _, after, isStatus := strings.Cut(string(begin[:n]), `"kind":"Status","code":`); isStatus {
			fmt.Sscan(after[:3], &code)
		}
	}
	return &http.Response{
		StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(body), Request: req,
	}
}

// StatusOf is the body with which an API server refuses.
func StatusOf(code int, reason string) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Status","code":%d,"status":"Failure","reason":%q,"message":"test"}`, code, reason)
}
