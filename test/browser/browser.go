// Package browser drives the page in a real Chromium, without a window. It is a module of its own, since fanout has no need of what speaks to
// a browser.
//
//	make test-browser     what the page does, and an audit of its accessibility by axe-core
//	make screenshots      the pictures in docs/images
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Tab is a tab of a browser of its own. It notes what the page should not do.
type Tab struct {
	testing.TB
	ctx  context.Context
	host string

	mu     sync.Mutex
	faults []string
	// expected are parts of messages that are none.
	expected []string
}

// Screen is what a page is looked at on.
type Screen struct {
	Width, Height int64
	Phone, Dark   bool
}

// Desktop is a usual one.
var Desktop = Screen{Width: 1440, Height: 900}

// limit is how long one step may take on a busy machine.
const limit = 10 * time.Second

// Open starts a browser with nothing in it, for pages of that address.
func Open(t testing.TB, address string, screen Screen) *Tab {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless,
		chromedp.NoSandbox, chromedp.DisableGPU,
	}
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancelTab := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // its folder can't be deleted before it has ended
		cancelTab()
	})
	tab := &Tab{TB: t, ctx: ctx, host: strings.TrimPrefix(address, "http://")}
	if err := chromedp.Listen(ctx, tab.hear); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	command(tab, network.Enable, network.EnableParams{})
	command(tab, log.Enable, cdp.Empty{})
	command(tab, runtime.Enable, cdp.Empty{})
	tab.Look(screen)
	t.Cleanup(func() {
		for _, fault := range tab.Faults() {
			t.Errorf("in the browser: %s", fault)
		}
	})
	return tab
}

// Look has the page looked at on that screen from now on.
func (b *Tab) Look(screen Screen) {
	b.Helper()
	scheme, scale := "light", 1.0
	if screen.Dark {
		scheme = "dark"
	}
	if screen.Phone {
		scale = 2
	}
	command(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: screen.Width, Height: screen.Height, DeviceScaleFactor: scale, Mobile: screen.Phone,
	})
	command(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// Script switches scripts on or off, for pages that are loaded from now on.
func (b *Tab) Script(on bool) {
	b.Helper()
	command(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// command has the browser do something, or the test ends.
func command[P, R any](b *Tab, c cdp.Command[P, R], params P) R {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	result, err := chromedp.Call(ctx, c, params)
	if err != nil {
		b.Fatalf("%s: %v", c.Method, err)
	}
	return result
}

// hear notes messages in the console, faults, and requests to anybody else.
func (b *Tab) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		var words []string
		for _, arg := range e.Args {
			words = append(words, string(arg.Value))
		}
		b.note("console: %s", strings.Join(words, " "))
	case *runtime.EventExceptionThrown:
		b.note("exception: %s", e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.note("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
	case *network.EventRequestWillBeSent:
		if rest, ok := strings.CutPrefix(e.Request.URL, "http://"+b.host+"/"); !ok && e.Request.URL != "about:blank" {
			b.note("a request to another host: %s", rest+e.Request.URL)
		}
	}
}

func (b *Tab) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	for _, part := range b.expected {
		if strings.Contains(text, part) {
			return
		}
	}
	b.faults = append(b.faults, text)
}

// Expect takes no message for a fault that contains part.
func (b *Tab) Expect(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, part)
}

// Faults returns what the page should not have done.
func (b *Tab) Faults() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.faults...)
}

// Do does something in the tab, or the test ends.
func (b *Tab) Do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.Fatalf("%s: %v", what, err)
	}
}

// Go leads the tab to a path.
func (b *Tab) Go(path string) {
	b.Helper()
	b.Do("go to "+path, chromedp.Navigate("http://"+b.host+path))
}

// Press presses keys, one after the other.
func (b *Tab) Press(keys ...string) {
	b.Helper()
	for _, key := range keys {
		b.Do("press a key", chromedp.KeyEvent(key))
	}
}

// eval returns what an expression is in the page, or what a promise of it becomes.
func eval[T any](b *Tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Is waits until an expression is true in the page.
func (b *Tab) Is(what, expression string) {
	b.Helper()
	deadline := time.Now().Add(limit)
	for {
		is, err := eval[bool](b, "!!("+expression+")")
		if err == nil && is {
			return
		}
		if time.Now().After(deadline) {
			text := b.Text("main")
			b.Fatalf("not so: %s (%s): %v\n%s", what, expression, err, text[:min(len(text), 500)])
		}
		select {
		case <-time.After(30 * time.Millisecond):
		case <-b.ctx.Done():
			b.Fatal(b.ctx.Err())
		}
	}
}

// Text returns what can be read in what a selector finds first.
func (b *Tab) Text(selector string) string {
	b.Helper()
	text, err := eval[string](b, fmt.Sprintf("(document.querySelector(%q) || {}).innerText || ''", selector))
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// Picture returns what is seen, as a PNG.
func (b *Tab) Picture() []byte {
	b.Helper()
	return command(b, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng}).Data
}

// chromium is the browser's program.
func chromium(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no chromium here: install Debian's, or say where one is by CHROMIUM=PATH")
	return ""
}
