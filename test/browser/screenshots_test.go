package browser

import (
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/utils/clock"

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
	address := serve(t, pagetest.New(168, 40, time.Now))
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
	served := pages.New(source, clock.RealClock{})
	server := httptest.NewServer(served)
	t.Cleanup(server.Close)
	t.Cleanup(served.Close)
	return server.URL
}
