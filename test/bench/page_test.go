package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanout/test/fixture"
)

// openPages are as many as people look at at once, at so many different addresses.
const (
	openPages = 50
	addresses = 5
)

// page is what people who look at the page cost: a first view, and open pages while canary-checker writes statuses in all members.
func page(t *testing.T, w *world) {
	f := w.start(t, w.many, w.parents)
	w.check(t)
	address := f.APIAddress(t)
	what := fmt.Sprintf("%d members × %d Canaries", w.many, w.parents)
	w.pageEvents(t, "page-event", address, what)
	if err := w.simulator.Storm(t.Context(), stormPeriod); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.simulator.Storm(t.Context(), 0); err != nil {
			t.Error(err)
		}
	}()
	settle(t, w.observe/3)
	const looks = 5
	var first, whole []float64
	size := 0
	for range looks {
		byteAfter, wholeAfter, bytes := look(t, address)
		first, whole, size = append(first, byteAfter), append(whole, wholeAfter), bytes
		settle(t, time.Second) // the next one is of another moment
	}
	slices.Sort(first)
	slices.Sort(whole)
	w.figures.add(t, "page-first-byte", first[looks/2], "ms", "of a first view, the median of 5 at different moments of the storm; "+what)
	w.figures.add(t, "page-first-view", whole[looks/2], "ms", fmt.Sprintf("until it is there; at the most %.0f; %s", whole[looks-1], what))
	w.figures.add(t, "page-first-view-bytes", float64(size)/1000, "kB", what)

	cores := func() (cores, megabytes float64) {
		before, began := cpuOf(t, f.PID()), time.Now()
		settle(t, w.observe/2)
		now, _ := memoryOf(t, f.PID())
		return (cpuOf(t, f.PID()) - before).Seconds() / time.Since(began).Seconds(), now / (1 << 20)
	}
	alone, lean := cores()
	pages := open(t, address)
	settle(t, w.observe/6)
	profiled := w.profileCPU(t, int((w.observe / 2).Seconds()))
	events, bytes, began := pages.events.Load(), pages.bytes.Load(), time.Now()
	looked, full := cores()
	took := time.Since(began).Seconds()
	profiled()
	sent, read := float64(pages.events.Load()-events)/openPages/took, pages.bytes.Load()-bytes
	what = fmt.Sprintf("%d open pages at %d addresses, in the storm, %s", openPages, addresses, what)
	w.figures.add(t, "page-open", looked-alone, "cores", fmt.Sprintf("more than %.2f without; %s", alone, what))
	w.figures.add(t, "page-open-memory", full-lean, "MiB", fmt.Sprintf("resident, more than %.0f without; %s", lean, what))
	w.figures.add(t, "page-open-events", sent, "events/s", fmt.Sprintf("that each page is sent, %.0f kB/s; %s", float64(read)/1000/openPages/took, what))
	w.pageEvents(t, "page-event-storm", address, what)
	pages.close()
	gone, empty := cores()
	w.figures.add(t, "page-closed", gone-alone, "cores", fmt.Sprintf("more than before, once all are closed; resident %.0f MiB more; %s", empty-lean, what))
}

// look asks for a first view, and returns after how many milliseconds it begins and is whole, and its size.
func look(t *testing.T, address string) (first, whole float64, size int) {
	t.Helper()
	began := time.Now()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	first = float64(time.Since(began).Microseconds()) / 1000
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), "<td class=") {
		t.Fatalf("%s, %v: %.500s", response.Status, err, body)
	}
	return first, float64(time.Since(began).Microseconds()) / 1000, len(body)
}

// lookers are open pages.
type lookers struct {
	events, bytes atomic.Int64
	close         func()
}

// open opens pages, until close is called or the test ends.
func open(t *testing.T, address string) *lookers {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	all := &lookers{}
	var reading sync.WaitGroup
	all.close = func() {
		cancel()
		reading.Wait()
	}
	t.Cleanup(all.close)
	for i := range openPages {
		query := fmt.Sprintf("/events/?column=%d", i%addresses+1)
		reading.Go(func() {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+query, nil)
			if err != nil {
				t.Error(err)
				return
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			reader := bufio.NewReader(response.Body)
			for {
				line, err := reader.ReadString('\n')
				all.bytes.Add(int64(len(line)))
				if strings.HasPrefix(line, "event: page") {
					all.events.Add(1)
				}
				if err != nil {
					return
				}
			}
		})
	}
	fixture.Eventually(t, "each page is open", func() error {
		if got := all.events.Load(); got < openPages {
			return fmt.Errorf("%d are", got)
		}
		return nil
	})
	return all
}
