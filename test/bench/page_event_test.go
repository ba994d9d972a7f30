package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"fanout/pkg/fanout/derive"
	"fanout/test/fixture"
)

// pageEvents is how long it takes from a member having taken in that a check fares otherwise until an open page shows it: that of the Canary
// why it fails, and the matrix that it does, or does no more.
func (w *world) pageEvents(t *testing.T, name, address, conditions string) {
	t.Helper()
	canary := openOne(t, address+"/events/canaries/"+parentsNamespace+"/held-0")
	defer canary.close()
	w.shows(t, name, conditions, func(i int) (time.Duration, bool) {
		why := fmt.Sprintf("it fails in site %d.", i)
		began := time.Now()
		w.report(t, i, fixture.Failing(began, why))
		return canary.until(began, func(line string) bool { return strings.Contains(line, why) })
	})
	w.shows(t, name+"-matrix", conditions, func(i int) (time.Duration, bool) {
		site := w.many - 1 - i // whose name is no part of another's
		matrix := openOne(t, address+"/events/?canary=held-0&agent="+w.sites[site].Name)
		defer matrix.close()
		failing := false
		if _, ok := matrix.until(time.Now(), func(line string) bool {
			failing = strings.Contains(line, failedCell)
			return strings.Contains(line, cell)
		}); !ok {
			return 0, false
		}
		began := time.Now()
		next := fixture.Failing(began, "it fails")
		if failing {
			next = fixture.Passing(began)
		}
		w.report(t, site, next)
		return matrix.until(began, func(line string) bool {
			return strings.Contains(line, cell) && strings.Contains(line, failedCell) != failing
		})
	})
}

// A cell of the matrix begins so, and one of a copy that fails.
const cell, failedCell = `<td class="s-`, cell + "failed"

// shows adds the figure of how long change takes, which changes something in a site and waits until it is shown.
func (w *world) shows(t *testing.T, name, conditions string, change func(site int) (took time.Duration, shown bool)) {
	t.Helper()
	var took []time.Duration
	for i := 0; len(took) < w.changes; i++ {
		if i > 10*w.changes {
			t.Fatalf("%s: of %d changes an open page showed %d", name, i, len(took))
		}
		if one, shown := change(i); shown {
			took = append(took, one)
		}
	}
	slices.Sort(took)
	w.figures.add(t, name, milliseconds(took[w.changes/2]), "ms", fmt.Sprintf("from a member having taken in that a check fares otherwise until an open page shows it; at the most %.0f of %d; %s",
		milliseconds(took[w.changes-1]), w.changes, conditions))
}

// report has a member take in how the first Canary fares there.
func (w *world) report(t *testing.T, site int, status fixture.Status) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		t.Fatal(err)
	}
	member, err := dynamic.NewForConfig(fixture.ReadKubeconfig(t, w.sites[site].Kubeconfig))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := member.Resource(derive.Canaries).Namespace(parentsNamespace).Patch(t.Context(), "held-0", types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
}

// overwritten is after what time a change that is not shown is taken for one over which the storm has written something else.
const overwritten = 15 * time.Second

// looker is one open page.
type looker struct {
	lines <-chan string
	close func()
}

// until waits for a line that shows something, and returns how long that took since it began.
func (l looker) until(began time.Time, shows func(line string) bool) (took time.Duration, shown bool) {
	late := time.After(overwritten)
	for {
		select {
		case line, open := <-l.lines:
			switch {
			case !open:
				return 0, false
			case shows(line):
				return time.Since(began), true
			}
		case <-late:
			return 0, false
		}
	}
}

// openOne opens a page, until it is closed.
func openOne(t *testing.T, address string) looker {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		defer response.Body.Close()
		page := bufio.NewScanner(response.Body)
		page.Buffer(nil, 16<<20)
		for page.Scan() {
			select {
			case lines <- page.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return looker{lines, cancel}
}
