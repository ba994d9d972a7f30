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

// pageEvents is how long it takes from a member having taken in that a check fails until an open page of that Canary shows why.
func (w *world) pageEvents(t *testing.T, name, address, conditions string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	shown := openOne(ctx, t, address)
	const failures = 9
	var took []float64
	for site := 0; len(took) < failures; site++ {
		began := time.Now()
		w.fail(t, site, why(site))
		for at := began; at.Sub(began) < overwritten; at = time.Now() {
			var page string
			select {
			case page = <-shown:
			case <-time.After(overwritten):
			}
			if strings.Contains(page, why(site)) {
				took = append(took, float64(time.Since(began).Microseconds())/1000)
				break
			}
		}
		if site > 10*failures {
			t.Fatalf("an open page showed %d of %d failures", len(took), site)
		}
	}
	slices.Sort(took)
	w.figures.add(t, name, took[failures/2], "ms", fmt.Sprintf("from a member having taken in that a check fails until an open page shows why; at the most %.0f of %d; %s",
		took[failures-1], failures, conditions))
}

// overwritten is after what time a failure that is not shown is taken for one over which the storm has written something else.
const overwritten = 15 * time.Second

func why(site int) string { return fmt.Sprintf("it fails in site %d.", site) }

// fail has a member take in that the check of the first Canary fails there.
func (w *world) fail(t *testing.T, site int, why string) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"status": fixture.Failing(time.Now(), why)})
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

// openOne opens the page of the first Canary, and returns the lines that it is sent.
func openOne(ctx context.Context, t *testing.T, address string) <-chan string {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/events/canaries/"+parentsNamespace+"/held-0", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
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
	return lines
}
