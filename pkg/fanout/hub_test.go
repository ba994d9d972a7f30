package fanout

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/fanouttest"
)

// aHub is a controller at work, in a bubble of fake time, between a hub with one parent and a member with its copy.
type aHub struct {
	*Controller
	hub, member *fanouttest.Server
	events      chan string
	refuses     atomic.Bool
	refused     atomic.Int32

	mu      sync.Mutex
	version int
	written []written
}

// written is a status that was written, and when.
type written struct {
	after  time.Duration
	status map[string]any
}

func (w written) String() string {
	return fmt.Sprintf("%s: %v %v", w.after.Round(100*time.Millisecond), w.status["status"], w.status["message"])
}

// startHub starts it. What is written is there from then on.
func startHub(t *testing.T, edits ...edit) *aHub {
	recorder := record.NewFakeRecorder(1000)
	h := &aHub{events: recorder.Events, version: 100}
	began := time.Now()
	parent := aParent(append([]edit{withSelector([]any{member1}), withVersion(1), withSpec("schedule", "@every 30s")}, edits...)...)
	h.member = &fanouttest.Server{Answer: func(*fanouttest.Call) string { return "" }, Events: make(chan string)}
	h.hub = &fanouttest.Server{Parents: []*unstructured.Unstructured{parent}, Answer: func(call *fanouttest.Call) string {
		if h.refuses.Load() {
			h.refused.Add(1)
			return fanouttest.StatusOf(http.StatusInternalServerError, "InternalError")
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if call.ContentType != string(types.ApplyPatchType) { // what is left over is taken away: real API servers say of it what it is
			return asText(t, parent)
		}
		var sent struct{ Status map[string]any }
		if err := json.Unmarshal(call.Body, &sent); err != nil {
			t.Error(err)
		}
		h.written = append(h.written, written{time.Since(began), sent.Status})
		h.version++
		text, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": fmt.Sprint(h.version)}, "status": sent.Status})
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}}
	options := testOptions(prometheus.NewRegistry())
	options.Recorder = recorder
	h.Controller = New(h.hub.Client(t), options)
	ctx, end := context.WithCancel(t.Context())
	ended := done(func() { h.Run(ctx) })
	t.Cleanup(func() {
		end()
		<-ended
		h.Leave(member1)
	})
	return h
}

// theCopy is the parent's, with that status.
func theCopy(status map[string]any) *unstructured.Unstructured {
	copied := copyOf("api-health")
	withSpec("schedule", "@every 30s")(copied)
	copied.Object["status"] = status
	return copied
}

// join joins the member, which holds the copy at that version with that status.
func (h *aHub) join(t *testing.T, status map[string]any) {
	h.member.Copies = []*unstructured.Unstructured{theCopy(status)}
	joined := memberAt(t, h.member)
	joined.ID = member1
	ctx, end := context.WithCancel(context.Background())
	t.Cleanup(end)
	h.Join(ctx, joined)
	synctest.Wait()
}

// brings has the member's watch bring the copy with that status.
func (h *aHub) brings(t *testing.T, version int, status map[string]any) {
	copied := theCopy(status)
	withVersion(version)(copied)
	text, err := json.Marshal(map[string]any{"type": "MODIFIED", "object": copied.Object})
	if err != nil {
		t.Fatal(err)
	}
	h.member.Events <- string(text)
	synctest.Wait()
}

// misses tells it that the member can't be worked with since now.
func (h *aHub) misses(state clusters.State, labels map[string]string) {
	h.Miss(clusters.Missing{Agent: member1, Labels: labels, State: state, Detail: "no route", Since: time.Now()})
}

func (h *aHub) writes() []written {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]written(nil), h.written...)
}

func (h *aHub) last(t *testing.T) written {
	t.Helper()
	all := h.writes()
	if len(all) == 0 {
		t.Fatal("nothing was written")
	}
	return all[len(all)-1]
}

// says fails the test unless that is the message that was written last.
func (h *aHub) says(t *testing.T, message string) {
	t.Helper()
	mustEqual(t, "message", h.last(t).status["message"], any(message))
}

// isIn fails the test unless that is the status that was written last.
func (h *aHub) isIn(t *testing.T, status string) {
	t.Helper()
	mustEqual(t, "status", h.last(t).status["status"], any(status))
}

// hasNotWritten fails the test if anything was written.
func (h *aHub) hasNotWritten(t *testing.T) {
	t.Helper()
	if all := h.writes(); len(all) > 0 {
		t.Fatalf("written: %v", all)
	}
}

func passes(after time.Duration) map[string]any {
	return map[string]any{"status": "Passed", "lastCheck": time.Now().Add(after).UTC().Format(time.RFC3339), "uptime1h": "3/3 (100.0%)", "latency1h": "3ms"}
}

func fails(because string) map[string]any {
	status := passes(0)
	status["status"], status["errorMessage"] = "Failed", because
	return status
}

// pass lets the bubble's time pass, and what was due in it be done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
