package member

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/fanouttest"
)

// watched is a member's API server as a watch sees it: each list and each watch gets the next answer of the script.
type watched struct {
	mu     sync.Mutex
	script []answer
	asked  []string
}

// answer is a refusal, or what is sent and how it ends: not at all where end is nil.
type answer struct {
	refusal string
	sends   string
	end     error
}

func (w *watched) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	query := req.URL.Query()
	how := "list"
	switch {
	case query.Get("sendInitialEvents") == "true":
		how = "list and watch"
	case query.Get("watch") != "":
		how = "watch from " + query.Get("resourceVersion")
	case query.Get("limit") == "1":
		how = "look"
	}
	w.asked = append(w.asked, how)
	next := answer{}
	if len(w.script) > 0 {
		next, w.script = w.script[0], w.script[1:]
	}
	response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: req}
	if next.refusal != "" {
		_, code, _ := strings.Cut(next.refusal, `"code":`)
		fmt.Sscan(code[:3], &response.StatusCode)
		response.Body = io.NopCloser(strings.NewReader(next.refusal))
		return response, nil
	}
	from, to := io.Pipe()
	context.AfterFunc(req.Context(), func() { to.CloseWithError(req.Context().Err()) })
	go func() {
		_, _ = io.WriteString(to, next.sends)
		if next.end != nil {
			to.CloseWithError(next.end)
		}
	}()
	response.Body = from
	return response, nil
}

// follow has a member watch w until the test ends.
func (w *watched) follow(t *testing.T) *Member {
	client, err := clusters.RESTFor(&rest.Config{Host: "https://member", QPS: -1}, &http.Client{Transport: w})
	must(t, err)
	m := New(&clusters.Member{Agent: member1, Client: client}, &aHub{}, Options{
		HubID: thisHub, RequestTimeout: 30 * time.Second, OrphanSweepPeriod: time.Hour,
		Metrics: NewMetrics(prometheus.NewRegistry()), Clock: clock.RealClock{},
	})
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.watch(ctx)
	}()
	t.Cleanup(func() {
		end()
		<-ended
	})
	return m
}

// Whatever way a watch ends, the view goes on with what is there, and no more is asked for than that takes.
func TestAWatchGoesOnAfterItEnded(t *testing.T) {
	const bookmark = `{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"8","annotations":{"k8s.io/initial-events-end":"true"}}}}` + "\n"
	list := event(t, "ADDED", kept()) + bookmark
	atVersion := func(version string) answer {
		return answer{sends: `{"kind":"CanaryList","apiVersion":"canaries.flanksource.com/v1","metadata":{"resourceVersion":"` + version + `"},"items":[]}`, end: io.EOF}
	}
	later := event(t, "MODIFIED", kept(withVersion(12), withSpec("schedule", "@every 1h")))
	for _, row := range []struct {
		name   string
		script []answer
		asked  []string
		shows  []string
	}{
		{"it ends as watches do", []answer{{sends: list, end: io.EOF}, atVersion("9"), {sends: later}},
			[]string{"list and watch", "look", "watch from 8"}, []string{"api-health@12"}},
		{"the connection breaks", []answer{{sends: list + later, end: io.ErrUnexpectedEOF}, atVersion("13"), {}},
			[]string{"list and watch", "look", "watch from 12"}, []string{"api-health@12"}},
		{"its version is too old", []answer{{sends: list, end: io.EOF}, atVersion("9"), {refusal: fanouttest.StatusOf(410, "Expired")}, {sends: bookmark}},
			[]string{"list and watch", "look", "watch from 8", "list and watch"}, nil},
		{"it says that it is too old", []answer{{sends: list + `{"type":"ERROR","object":{"kind":"Status","reason":"Expired","code":410}}` + "\n"}, {sends: bookmark}},
			[]string{"list and watch", "list and watch"}, nil},
		{"it makes no sense", []answer{{sends: list + "nonsense\n"}, {sends: bookmark}},
			[]string{"list and watch", "list and watch"}, nil},
		{"the server was restored", []answer{{sends: list, end: io.EOF}, atVersion("5"), {sends: bookmark}},
			[]string{"list and watch", "look", "list and watch"}, nil},
		{"the server sheds load", []answer{{sends: list, end: io.EOF}, {refusal: fanouttest.StatusOf(429, "TooManyRequests")}, atVersion("9"), {sends: later}},
			[]string{"list and watch", "look", "look", "watch from 8"}, []string{"api-health@12"}},
		{"the list breaks off", []answer{{sends: event(t, "ADDED", kept()), end: io.ErrUnexpectedEOF}, {sends: list}},
			[]string{"list and watch", "list and watch"}, []string{"api-health@7"}},
		{"something goes while it is listed", []answer{{sends: event(t, "ADDED", kept()) + event(t, "DELETED", kept(withVersion(8))) + bookmark}},
			[]string{"list and watch"}, nil},
		{"the server can't stream a list", []answer{{refusal: fanouttest.StatusOf(422, "Invalid")}, atVersion("9"), {sends: later}},
			[]string{"list and watch", "list", "watch from 9"}, []string{"api-health@12"}},
		{"nothing may be watched", []answer{{refusal: fanouttest.StatusOf(403, "Forbidden")}, {sends: list}},
			[]string{"list and watch", "list and watch"}, []string{"api-health@7"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &watched{script: row.script}
				m := w.follow(t)
				pass(20 * time.Second)
				mustEqual(t, "asked", w.asked, row.asked)
				shows(t, m.view, row.shows...)
				if !isClosed(m.view.synced) {
					t.Error("not synced")
				}
			})
		})
	}
}

// A sweep lists afresh, whatever the watch says.
func TestASweepBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watched{}
		w.follow(t)
		pass(2*time.Hour + 15*time.Minute)
		mustEqual(t, "asked", w.asked, []string{"list and watch", "list and watch", "list and watch"})
	})
}
