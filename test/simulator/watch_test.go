package simulator

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
)

// stream is a watch of one of the two servers.
type stream struct {
	lines chan map[string]any
	code  int
}

// watch opens a watch, which ends with the test.
func (s *server) watch(t *testing.T, path string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+s.fill(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	watch := &stream{lines: make(chan map[string]any, 100), code: response.StatusCode}
	go func() {
		defer close(watch.lines)
		defer response.Body.Close()
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			event := map[string]any{}
			if json.Unmarshal(lines.Bytes(), &event) != nil {
				event["text"] = lines.Text()
			}
			watch.lines <- event
		}
	}()
	return watch
}

// next returns so many events, in as far as the server brings them.
func (w *stream) next(count int) []any {
	events := []any{w.code}
	for range count {
		event, open := <-w.lines
		if !open {
			return append(events, "end")
		}
		events = append(events, comparable(event))
	}
	return events
}

const (
	allCanaries = "/apis/canaries.flanksource.com/v1/canaries?labelSelector=fanout.flanksource.com/hub%3Dh"
	watched     = allCanaries + "&watch=true&allowWatchBookmarks=true"
	streamed    = watched + "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
)

// watches are opened, then changes made, and so many events read.
var watches = []struct {
	what, path string
	changes    []asked
	events     int
}{
	{what: "a streaming list, and what follows", path: streamed, events: 6, changes: []asked{
		{method: "PATCH", path: ofCanaries + "/new" + byFanout, contentType: applyType, body: canary("new", never, aSpec), code: 201},
		{method: "PATCH", path: ofCanaries + "/new/status?fieldManager=canary-checker", contentType: mergePatch, body: `{"status":{"status":"Passed"}}`, code: 200},
		{method: "DELETE", path: ofCanaries + "/new", contentType: "application/json", body: `{"kind":"DeleteOptions","apiVersion":"v1"}`, code: 200},
	}},
	{what: "a resumed watch", path: watched + "&resourceVersion={first.version}", events: 4},
	{what: "a watch of what loses and gets the label", path: watched + "&resourceVersion={list.version}", events: 3, changes: []asked{
		{method: "PATCH", path: ofCanaries + "/first?fieldManager=x", contentType: mergePatch, body: `{"metadata":{"labels":{"fanout.flanksource.com/hub":"other"}}}`, code: 200},
		{method: "PATCH", path: ofCanaries + "/first?fieldManager=x", contentType: mergePatch, body: `{"metadata":{"labels":{"fanout.flanksource.com/hub":"h"}}}`, code: 200},
		{method: "PATCH", path: ofCanaries + "/first" + byFanout, contentType: applyType, body: canary("first", "", anotherSpec), code: 200},
	}},
	{what: "a watch with what is there first", path: watched + "&resourceVersion=0", events: 2},
	{what: "a watch from a version that is forgotten", path: watched + "&resourceVersion=1", events: 2},
	{what: "a watch that ends in time", path: watched + "&resourceVersion={list.version}&timeoutSeconds=1", events: 9},
}

// TestWatches watches both servers, and changes the same in them.
func TestWatches(t *testing.T) {
	servers := both(t)
	for _, s := range servers {
		s.ask(t, "POST", "/api/v1/namespaces?fieldManager=fanout", "application/json", `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"here"}}`)
		for _, name := range []string{"first", "second"} {
			_, answer := s.ask(t, "PATCH", ofCanaries+"/"+name+byFanout, applyType, canary(name, never, aSpec))
			s.keep(name, answer)
		}
	}
	for _, w := range watches {
		events := make([]any, len(servers))
		for i, s := range servers {
			_, list := s.ask(t, "GET", allCanaries, "", "")
			s.keep("list", list)
			opened := s.watch(t, w.path)
			for _, change := range w.changes {
				if response, answer := s.ask(t, change.method, change.path, change.contentType, change.body); response.StatusCode != change.code {
					t.Fatalf("%s: %s %s: %v", s.name, change.method, change.path, answer)
				}
			}
			events[i] = opened.next(w.events)
		}
		if difference := cmp.Diff(events[0], events[1]); difference != "" {
			t.Errorf("%s: a simulated member (+) brings otherwise than a real API server (-):\n%s", w.what, difference)
		}
	}
}

// TestUnauthorized asks both servers with a credential that they do not know.
func TestUnauthorized(t *testing.T) {
	var answers []any
	for _, s := range both(t) {
		nobody := rest.AnonymousClientConfig(s.config)
		nobody.BearerToken = "nobody's"
		response, answer := newServer(t, s.name, nobody).ask(t, "GET", "/api/v1/namespaces/kube-system", "", "")
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s answers %s", s.name, response.Status)
		}
		answers = append(answers, answer)
	}
	if difference := cmp.Diff(answers[0], answers[1]); difference != "" {
		t.Errorf("a simulated member (+) refuses otherwise than a real API server (-):\n%s", difference)
	}
}

// TestHTTP2 holds the simulator to the protocol that API servers speak.
func TestHTTP2(t *testing.T) {
	for _, s := range both(t) {
		response, _ := s.ask(t, "GET", "/api/v1/namespaces/kube-system", "", "")
		if response.ProtoMajor != 2 || !strings.HasPrefix(response.Header.Get("Cache-Control"), "no-cache") {
			t.Errorf("%s speaks %s, with %v", s.name, response.Proto, response.Header)
		}
	}
}
