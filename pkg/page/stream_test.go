package page

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanout/pkg/api"
	"fanout/pkg/page/pagetest"
)

// event is what a stream brought.
type event struct{ kind, id, data string }

// stream is an open page, without a browser.
type testStream struct {
	events chan event
	cancel context.CancelFunc
	code   int
	got    atomic.Int64 // events
}

// open opens a stream, which ends with the test.
func open(t testing.TB, address string) *testStream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	s := &testStream{events: make(chan event, 1000), cancel: cancel, code: response.StatusCode}
	done := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		defer response.Body.Close()
		defer close(s.events)
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 16<<20)
		var e event
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				e.kind = value
			case "id":
				e.id = value
			case "data":
				e.data += value + "\n"
			case "":
				s.got.Add(1)
				s.events <- e
				e = event{}
			}
		}
	}()
	return s
}

// until returns the first event that is so.
func (s *testStream) until(t testing.TB, what string, is func(event) bool) event {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case e, ok := <-s.events:
			if !ok {
				t.Fatalf("the stream ended before it brought %s", what)
			}
			if is(e) {
				return e
			}
		case <-deadline:
			t.Fatalf("the stream did not bring %s", what)
		}
	}
}

func isPage(e event) bool { return e.kind == "page" }

func TestAnOpenPageIsSentWhatChanged(t *testing.T) {
	source := sample(24, 10)
	_, address := serve(t, source)
	s := open(t, address+"/events/?canary=search")
	first := s.until(t, "the page", isPage)
	if strings.Contains(first.data, "checkout") {
		t.Error("the stream is not of its address's query")
	}
	source.Fail("search", "dns", "eu-west-prod-1", "broken")
	second := s.until(t, "what changed", isPage)
	if first.id == second.id || first.data == second.data {
		t.Error("the page is sent as it was")
	}
	one := open(t, address+"/events/canaries/search/dns")
	one.until(t, "the error", func(e event) bool { return strings.Contains(e.data, "broken") })
	// Whoever has this already is not sent it again.
	other := open(t, address+"/events/?canary=search&has="+second.id)
	if e := other.until(t, "anything", func(event) bool { return true }); e.kind != "same" {
		t.Errorf("an open page is sent what it shows: %s", e.kind)
	}
}

// asks is a Source that counts what it is asked.
type asks struct {
	*pagetest.Sample
	canaries, lists atomic.Int64
}

func (a *asks) Canary(ctx context.Context, namespace, name string) (api.OneCanary, error) {
	a.canaries.Add(1)
	return a.Sample.Canary(ctx, namespace, name)
}

func (a *asks) Agents(ctx context.Context, namespaces ...string) (api.Agents, error) {
	a.lists.Add(1)
	return a.Sample.Agents(ctx, namespaces...)
}

func TestOpenPagesShareTheWork(t *testing.T) {
	source := &asks{Sample: sample(24, 10)}
	_, address := serve(t, source)
	var streams []*testStream
	for i := range 30 {
		streams = append(streams, open(t, address+fmt.Sprintf("/events/?sort=%s", []string{"", "name"}[i%2])))
	}
	for _, s := range streams {
		s.until(t, "the page", isPage)
	}
	const changes = 200
	for i := range changes { // all of them within much less than the pace, or so on a machine that is not too busy
		source.Fail("search", "dns", "eu-west-prod-1", fmt.Sprint("broken ", i))
	}
	for _, s := range streams {
		s.until(t, "what changed", isPage)
	}
	for _, s := range streams {
		if got := s.got.Load(); got > 10 {
			t.Errorf("an open page is sent %d events, where two would do", got)
		}
	}
	lists, canaries := source.lists.Load(), source.canaries.Load()
	if canaries > lists*10 {
		t.Errorf("of %d moments, %d Canaries were asked for, of which there are 10", lists, canaries)
	}
	if lists >= changes/2 {
		t.Errorf("%d changes made %d moments", changes, lists)
	}
}

// One view of one moment is rendered once, however it is asked for.
func TestOneViewIsRenderedOnce(t *testing.T) {
	source := sample(6, 4)
	p, _ := serve(t, source)
	s := p.snapshot(t.Context())
	ask := func(address string) *fragment {
		return s.fragment(httptest.NewRequest(http.MethodGet, address, nil), matrixView)
	}
	whole := ask("/?sort=name&by=region")
	for _, same := range []string{"/?by=region&sort=name", "/events/?by=region&sort=name&has=abc", "/?by=region&sort=name&row=1&state=&other=1"} {
		if ask(same) != whole {
			t.Errorf("%s is rendered again", same)
		}
	}
	if ask("/?by=region") == whole {
		t.Error("another view is taken for this one")
	}
	for i := range 2 * maxFragments {
		ask(fmt.Sprintf("/?canary=%d", i))
	}
	if len(s.fragments) > maxFragments {
		t.Errorf("%d views are kept", len(s.fragments))
	}
}

func TestStreamsAreBounded(t *testing.T) {
	p, address := serve(t, sample(3, 2))
	p.maxStreams = 3
	for range 3 {
		if s := open(t, address+"/events/"); s.code != http.StatusOK {
			t.Fatalf("%d", s.code)
		}
	}
	s := open(t, address+"/events/")
	if s.code != http.StatusServiceUnavailable {
		t.Errorf("one more than may be: %d", s.code)
	}
	if code, _ := get(t, address); code != http.StatusOK {
		t.Errorf("the page itself: %d", code)
	}
}

// A page that does not read fills its connection, and is then dropped.
func TestAPageThatDoesNotReadIsDropped(t *testing.T) {
	source := sample(400, 60)
	p, address := serve(t, source)
	p.writeTime = 200 * time.Millisecond
	connection, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.(*net.TCPConn).SetReadBuffer(4096)
	reader := open(t, address+"/events/?canary=search")
	reader.until(t, "the page", isPage)
	fmt.Fprint(connection, "GET /events/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if line, err := bufio.NewReaderSize(connection, 16).ReadString('\n'); err != nil || !strings.Contains(line, "200 OK") {
		t.Fatalf("%q, %v", line, err)
	}
	eventually(t, "one is left", func() bool { return p.streams.Load() == 1 })
	source.Fail("search", "dns", "eu-west-prod-1", "broken")
	reader.until(t, "what changed", isPage)
}

func TestAPageThatIsGoneCostsNothing(t *testing.T) {
	p, address := serve(t, sample(3, 2))
	for range 20 {
		s := open(t, address+"/events/")
		s.until(t, "the page", isPage)
		s.cancel()
	}
	eventually(t, "no stream is left", func() bool { return p.streams.Load() == 0 })
}

func TestCloseEndsStreams(t *testing.T) {
	p, address := serve(t, sample(3, 2))
	s := open(t, address+"/events/")
	s.until(t, "the page", isPage)
	p.Close()
	for range s.events {
	}
	eventually(t, "no stream is left", func() bool { return p.streams.Load() == 0 })
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); {
		if time.Now().After(end) {
			t.Fatalf("not so: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
