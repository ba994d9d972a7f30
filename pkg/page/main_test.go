package page

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/utils/clock"

	"fanout/pkg/api"
	"fanout/pkg/page/pagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve serves the pages of a source on this machine.
func serve(t testing.TB, source api.Source) (p *Page, address string) {
	t.Helper()
	p = New(source, clock.RealClock{})
	server := httptest.NewUnstartedServer(p)
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_ = c.(*net.TCPConn).SetWriteBuffer(4096) // so that it is soon full where nobody reads
		return ctx
	}
	server.Start()
	t.Cleanup(func() {
		p.Close()
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return p, server.URL
}

// get returns what is answered to a GET, as text.
func get(t testing.TB, address string) (code int, body string) {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(read)
}

// shows fails the test where a page does not hold each of the texts.
func shows(t testing.TB, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not show %q", text)
		}
	}
}

// noon is a time that does not pass.
func noon() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

func sample(agents, canaries int) *pagetest.Sample { return pagetest.New(agents, canaries, time.Now) }
