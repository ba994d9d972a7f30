package browser

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	pages "fanout/pkg/page"
	"fanout/pkg/page/pagetest"
)

var screenshots = flag.String("screenshots", "", "folder to write pictures of each view to")

// A picture is of the size that a screen shows at once, and no larger in bytes than a document should load.
const maxPicture = 150 << 10

func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("make screenshots")
	}
	if err := os.MkdirAll(*screenshots, 0o755); err != nil {
		t.Fatal(err)
	}
	// At a time that does not pass, the same page gives the same picture.
	now := time.Date(2026, 11, 26, 9, 30, 12, 0, time.UTC)
	address := serveAt(t, pagetest.New(168, 40, func() time.Time { return now }), clocktesting.NewFakeClock(now))
	views := []struct{ name, path string }{
		{"matrix", "/?by=region"},
		{"groups", "/?by=region&columns=groups"},
		{"canary", "/canaries/search/dns?by=region"},
		{"agent", "/agents/us-west-prod-6"},
	}
	for _, screen := range []struct {
		name string
		Screen
	}{
		{"desktop-light", Screen{Width: 1280, Height: 800}},
		{"desktop-dark", Screen{Width: 1280, Height: 800, Dark: true}},
		{"phone-light", Screen{Width: 390, Height: 780, Phone: true}},
		{"phone-dark", Screen{Width: 390, Height: 780, Phone: true, Dark: true}},
	} {
		tab := Open(t, address, screen.Screen)
		for _, view := range views {
			look := screen.Screen
			if view.name == "canary" && !look.Phone {
				look.Height = 1120 // for the chart
			}
			tab.Look(look)
			tab.Go(view.path)
			tab.Is("the page is live", `document.querySelector("#live").dataset.live === "on"`)
			name := view.name + "-" + screen.name + ".png"
			picture := fewerColours(t, tab.Picture())
			if len(picture) > maxPicture {
				t.Errorf("%s has %d KiB", name, len(picture)>>10)
			}
			if err := os.WriteFile(filepath.Join(*screenshots, name), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// serve serves the pages of that source.
func serve(t testing.TB, source *pagetest.Sample) (address string) {
	t.Helper()
	return serveAt(t, source, clock.RealClock{})
}

func serveAt(t testing.TB, source *pagetest.Sample, clock clock.Clock) (address string) {
	t.Helper()
	return serveThrough(t, source, clock, func(pages http.Handler) http.Handler { return pages })
}

// serveThrough serves the pages through what something makes of them.
func serveThrough(t testing.TB, source *pagetest.Sample, clock clock.Clock, through func(http.Handler) http.Handler) (address string) {
	t.Helper()
	served := pages.New(source, clock)
	server := httptest.NewServer(through(served))
	t.Cleanup(server.Close)
	t.Cleanup(served.Close)
	return server.URL
}
