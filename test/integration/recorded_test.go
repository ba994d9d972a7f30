package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/test/fixture"
)

// The stand-in writes what a real canary-checker was recorded to write: the same versions in the same order, each with the same
// fields in the same formats, by the same manager. Only what can't be the same is left out: times, IDs, numbers of runs, and
// addresses. (Run with a real one, this tests the test.)
func TestCheckerWritesWhatWasRecorded(t *testing.T) {
	w := newWorld(t)
	member := w.members["eu-west-prod"]
	member.Namespace(t, w.canaries)
	member.StartChecker(t)
	var failing atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		if failing.Load() {
			answer.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)

	canary := firstOf(t, "first-minute-of-http-pass.json")
	canary.Object["metadata"] = map[string]any{"namespace": w.canaries, "name": "http-pass", "labels": map[string]any{"team": "web"}}
	checkIn(canary.Object["spec"].(map[string]any))["url"] = server.URL + "/ok"
	canary.Object["spec"].(map[string]any)["schedule"] = "@every 1s"
	changes, err := member.Canaries(w.canaries).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer changes.Stop()
	if _, err := member.Canaries(w.canaries).Create(t.Context(), canary, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
		t.Fatal(err)
	}
	patience := time.After(3 * time.Minute)
	next := func() *unstructured.Unstructured {
		t.Helper()
		select {
		case change := <-changes.ResultChan():
			return change.Object.(*unstructured.Unstructured)
		case <-patience:
			t.Fatal("there is no next version")
			return nil
		}
	}

	var recorded []struct{ Object map[string]any }
	read(t, "first-minute-of-http-pass.json", &recorded)
	for i, version := range recorded {
		expectLikeRecorded(t, fmt.Sprintf("version %d", i), next().Object, version.Object)
	}

	t.Log("failing for two runs, and passing again")
	var transitions []struct{ Status map[string]any }
	read(t, "transitions-of-flaky.json", &transitions)
	for i, version := range transitions[3:] {
		fails := i == 1 || i == 2
		got := next()
		for outcome(got) == "Passed" == fails { // it may have run before the server changed
			got = next()
		}
		failing.Store(i == 0 || i == 1)
		expectLikeRecorded(t, fmt.Sprintf("transition %d", i), got.Object["status"], rename(version.Status))
	}
}

func outcome(canary *unstructured.Unstructured) string {
	status, _, _ := unstructured.NestedString(canary.Object, "status", "status")
	return status
}

// rename gives the one check of the flaky Canary the name of the other's.
func rename(status map[string]any) map[string]any {
	checks := status["checks"].(map[string]any)
	checks["front-page"] = checks["api"]
	delete(checks, "api")
	return status
}

func firstOf(t *testing.T, name string) *unstructured.Unstructured {
	var versions []struct{ Object map[string]any }
	read(t, name, &versions)
	return (&unstructured.Unstructured{Object: versions[0].Object}).DeepCopy()
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(fixture.Recorded(t, name))
	if err == nil {
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.UseNumber()
		err = decoder.Decode(into)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func expectLikeRecorded(t *testing.T, what string, got, recorded any) {
	t.Helper()
	if err := fixture.Same(what, alike(t, got), alike(t, recorded)); err != nil {
		t.Error(err)
	}
}

// alike is a value without what differs from one run of canary-checker to the next.
func alike(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range notAlike {
		text = rule.pattern.ReplaceAll(text, []byte(rule.replacement))
	}
	var normal any
	if err := json.Unmarshal(text, &normal); err != nil {
		t.Fatal(err)
	}
	object, _ := normal.(map[string]any)
	managers, _, _ := unstructured.NestedSlice(object, "metadata", "managedFields")
	slices.SortFunc(managers, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) // they come in the order of their times
	if managers != nil {
		_ = unstructured.SetNestedSlice(object, managers, "metadata", "managedFields")
	}
	return normal
}

var notAlike = []struct {
	pattern     *regexp.Regexp
	replacement string
}{
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "ID"},
	{regexp.MustCompile(`"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"`), `"TIME"`},
	{regexp.MustCompile(`"\d+ms"`), `"LATENCY"`},
	{regexp.MustCompile(`"\d+/\d+ \(100\.0%\)"`), `"ALL PASSED"`},
	{regexp.MustCompile(`"\d+/\d+ \(\d\d\.\d%\)"`), `"SOME PASSED"`},
	{regexp.MustCompile(`"http://127\.0\.0\.1:\d+/`), `"http://SERVER/`},
	{regexp.MustCompile(`"(resourceVersion|namespace|schedule)":"[^"]+"`), `"$1":"SOME"`},
}
