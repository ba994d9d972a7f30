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

// join joins the member, which holds the copy at that version with that status.
func (h *aHub) join(t *testing.T, status map[string]any) {
	copied := copyOf("api-health")
	withSpec("schedule", "@every 30s")(copied)
	copied.Object["status"] = status
	h.member.Copies = []*unstructured.Unstructured{copied}
	joined := memberAt(t, h.member)
	joined.ID = member1
	ctx, end := context.WithCancel(context.Background())
	t.Cleanup(end)
	h.Join(ctx, joined)
	synctest.Wait()
}

// brings has the member's watch bring the copy with that status.
func (h *aHub) brings(t *testing.T, version int, status map[string]any) {
	copied := copyOf("api-health")
	withVersion(version)(copied)
	withSpec("schedule", "@every 30s")(copied)
	copied.Object["status"] = status
	text, err := json.Marshal(map[string]any{"type": "MODIFIED", "object": copied.Object})
	if err != nil {
		t.Fatal(err)
	}
	h.member.Events <- string(text)
	synctest.Wait()
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

func TestNothingIsWrittenBeforeAllAgentsAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		pass(time.Hour)
		if all := h.writes(); len(all) > 0 {
			t.Fatalf("written: %v", all)
		}
		h.join(t, passes(0))
		h.Complete()
		pass(time.Second)
		if all := h.writes(); len(all) != 1 || all[0].status["status"] != "Passed" {
			t.Fatalf("written: %v", all)
		}
	})
}

func TestAnAgentOfWhichNothingIsHeardIsWaitedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		h.Miss(clusters.Missing{Agent: member1, Labels: map[string]string{}, State: clusters.Connecting, Since: time.Now()})
		h.Complete()
		pass(startPatience - time.Second)
		if all := h.writes(); len(all) > 0 {
			t.Fatalf("written: %v", all)
		}
		pass(2 * time.Second)
		mustEqual(t, "status", h.last(t).status["message"], any("1 agent: 1 pending; 0 in sync"))

		h.Miss(clusters.Missing{Agent: member1, Labels: map[string]string{}, State: clusters.Unreachable, Detail: "no route", Since: time.Now()})
		pass(time.Second)
		mustEqual(t, "status", h.last(t).status["message"], any("1 agent: 1 unreachable; 0 in sync"))
		h.join(t, passes(0))
		pass(time.Second)
		mustEqual(t, "status", h.last(t).status["status"], any("Passed"))

		t.Log("what was last known of a member that is away stays known")
		h.Leave(member1)
		h.Miss(clusters.Missing{Agent: member1, Labels: map[string]string{}, State: clusters.Unreachable, Detail: "no route", Since: time.Now()})
		pass(time.Second)
		mustEqual(t, "entry", h.last(t).status["checkStatus"].(map[string]any)[member1].(map[string]any)["message"],
			any("Unreachable, Passed before"))
		h.Forget(member1)
		pass(time.Second)
		mustEqual(t, "status", h.last(t).status["message"], any("0 agents: agentSelector matches none of those that are registered"))
	})
}

// An agent that can't be reached loses a label, while it can't be, or as it comes back.
func TestAStatusSpeaksOfNoAgentThatIsSelectedNoMore(t *testing.T) {
	prod, dev := map[string]string{"tier": "prod"}, map[string]string{"tier": "dev"}
	for name, relabel := range map[string]func(*testing.T, *aHub){
		"while it is away": func(t *testing.T, h *aHub) {
			h.Miss(clusters.Missing{Agent: member1, Labels: dev, State: clusters.Unreachable, Since: time.Now()})
		},
		"as it comes back": func(t *testing.T, h *aHub) {
			joined := memberAt(t, h.member)
			joined.Labels = dev
			h.Join(t.Context(), joined)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := startHub(t, withSelector([]any{"tier=prod"}))
				h.Miss(clusters.Missing{Agent: member1, Labels: prod, State: clusters.Unreachable, Since: time.Now()})
				h.Complete()
				pass(time.Second)
				mustEqual(t, "status", h.last(t).status["message"], any("1 agent: 1 unreachable; 0 in sync"))
				relabel(t, h)
				pass(time.Second)
				mustEqual(t, "status", h.last(t).status["message"], any("0 agents: agentSelector matches none of those that are registered"))
			})
		})
	}
}

func TestTransitionsAreWrittenSoonAndTimesSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		h.join(t, passes(0))
		h.Complete()
		pass(time.Minute)
		before := len(h.writes())

		version := 10
		for range 600 { // a minute of news ten times a second
			version++
			h.brings(t, version, passes(0))
			pass(100 * time.Millisecond)
		}
		if n := len(h.writes()) - before; n < 5 || n > 7 {
			t.Errorf("%d writes for a minute of times", n)
		}

		pass(time.Minute)
		before = len(h.writes())
		version++
		h.brings(t, version, fails("refused"))
		pass(time.Second)
		if n := len(h.writes()) - before; n != 1 || h.last(t).status["status"] != "Failed" {
			t.Errorf("%d writes in the second after a transition, the last %v", n, h.last(t))
		}

		before = len(h.writes())
		for i := range 100 { // ten seconds of flapping
			version++
			if i%2 == 0 {
				h.brings(t, version, passes(0))
			} else {
				h.brings(t, version, fails("refused"))
			}
			pass(100 * time.Millisecond)
		}
		if n := len(h.writes()) - before; n < 5 || n > 15 {
			t.Errorf("%d writes for ten seconds of flapping", n)
		}
		pass(time.Second)
		mustEqual(t, "status in the end", h.last(t).status["status"], any("Failed"))
	})
}

func TestACopyThatIsNotRunBecomesStaleByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		h.join(t, passes(0))
		h.Complete()
		pass(80 * time.Second)
		mustEqual(t, "status", h.last(t).status["status"], any("Passed"))
		pass(20 * time.Second)
		mustEqual(t, "status", h.last(t).status["status"], any("Stale"))
	})
}

func TestAStatusThatCouldNotBeWrittenIsWrittenLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		h.refuses.Store(true)
		h.join(t, fails("refused"))
		h.Complete()
		pass(10 * time.Minute)
		if n := h.refused.Load(); n < 10 || n > 25 {
			t.Errorf("it was tried %d times in ten minutes", n)
		}
		if len(h.events) > 0 {
			t.Errorf("told: %s", <-h.events)
		}
		h.refuses.Store(false)
		pass(2 * time.Minute)
		if all := h.writes(); len(all) != 1 {
			t.Errorf("written: %v", all)
		}
	})
}
