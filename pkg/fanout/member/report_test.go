package member

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/fanout/fanouttest"
	"fanout/pkg/results"
)

// hearing is a hub that notes down what it is told of what is reported.
type hearing struct {
	Hub
	mu   sync.Mutex
	told []string
}

func (h *hearing) Heard(key types.NamespacedName, transition bool) {
	h.note(fmt.Sprintf("%s %t", key.Name, transition))
}

func (h *hearing) HeardAll() { h.note("all") }

func (h *hearing) note(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, what)
}

// take returns what it was told since the last time.
func (h *hearing) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer func() { h.told = nil }()
	return h.told
}

// saying is a copy at a version with a status.
func saying(version int, status fields, edits ...edit) *unstructured.Unstructured {
	return kept(append([]edit{withVersion(version), func(c *unstructured.Unstructured) { c.Object["status"] = map[string]any(status) }}, edits...)...)
}

// workWith is work in a member that holds those copies, whose watch is what is sent to events.
func workWith(t *testing.T, hub Hub, copies ...*unstructured.Unstructured) (b *bench, bring func(kind string, c *unstructured.Unstructured)) {
	events := make(chan string)
	b = workAt(t, hub, &fanouttest.Server{Answer: func(call *fanouttest.Call) string { return fanouttest.StatusOf(403, "Forbidden") }, Copies: copies, Events: events})
	return b, func(kind string, c *unstructured.Unstructured) {
		events <- strings.TrimSpace(event(t, kind, c))
		synctest.Wait()
	}
}

func TestWhatACopySaysIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := &hearing{Hub: &aHub{parent: aParent()}}
		passed := fields{"status": "Passed", "lastCheck": "1999-12-31T23:00:00Z", "uptime1h": "3/3 (100.0%)"}
		b, bring := workWith(t, hub, saying(7, passed))
		defer b.stop()
		mustEqual(t, "told by the list", hub.take(), []string{"all"})
		report := b.Report(at("api-health"))
		if report.Result.Outcome != results.Passed || report.Result.Runs != 3 || !report.HasCopy || report.Created == 0 || report.Out != (results.Condition{}) {
			t.Errorf("reported: %+v", report)
		}

		bring("MODIFIED", saying(8, passed)) // of a list without a watch no prints are kept
		hub.take()
		asked := len(b.server.Asked())
		bring("MODIFIED", saying(9, passed))
		mustEqual(t, "told of the same", hub.take(), nil)
		bring("MODIFIED", saying(10, fields{"status": "Passed", "lastCheck": "1999-12-31T23:00:30Z"}))
		mustEqual(t, "told of another time", hub.take(), []string{"api-health false"})
		bring("MODIFIED", saying(11, fields{"status": "Failed", "lastCheck": "1999-12-31T23:01:00Z", "errorMessage": "refused"}))
		mustEqual(t, "told of a failure", hub.take(), []string{"api-health true"})
		mustEqual(t, "its error", b.Report(at("api-health")).Result.Error, "refused")
		mustEqual(t, "requests for all that", len(b.server.Asked())-asked, 0)

		t.Log("another object in its place says nothing yet")
		bring("DELETED", saying(12, nil))
		bring("ADDED", saying(13, nil, withUID("another")))
		if got := b.Report(at("api-health")).Result; got.Outcome != results.Pending || got.LastCheck != 0 {
			t.Errorf("it says %+v", got)
		}
	})
}

func TestWhatIsWrongWithAPlaceIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := &hearing{Hub: &aHub{parent: aParent(withSpec("schedule", "@every 9h"))}}
		b, bring := workWith(t, hub)
		defer b.stop()
		hub.take()
		if report := b.Report(at("api-health")); report.HasCopy || report.Unheard || report.Out.Reason != results.Waiting {
			t.Errorf("reported of what is to be created: %+v", report)
		}
		b.Look(at("api-health"))
		pass(time.Second)
		report := b.Report(at("api-health"))
		if report.Out.Reason != "Forbidden" || report.Out.Since == 0 || !strings.Contains(report.Out.Detail, "apply Canary payments/api-health") {
			t.Errorf("reported of what is refused: %+v", report.Out)
		}
		since := report.Out.Since
		pass(time.Hour)
		mustEqual(t, "since", b.Report(at("api-health")).Out.Since, since)
		hub.take()
		bring("ADDED", kept(withSpec("schedule", "@every 9h")))
		pass(time.Hour)
		if told := hub.take(); len(told) == 0 {
			t.Error("it was not told that a copy came")
		}
	})
}

// A label that somebody puts on a copy is looked at, and no moment of it is in a status.
func TestWhatIsOutOfSync(t *testing.T) {
	want := demandOf(aParent(), thisHub, member1)
	other := demandOf(aParent(withSpec("schedule", "@every 9h")), thisHub, member1)
	written := observe(kept())
	written.content = "of something else"
	for _, row := range []struct {
		name   string
		want   Demand
		have   *observed
		action action
		isOut  bool
	}{
		{"as it should be", want, observe(kept()), actionNone, false},
		{"missing", want, nil, actionCreate, true},
		{"derived from another spec", other, observe(kept()), actionUpdate, true},
		{"written to by somebody", want, written, actionVerify, false},
		{"nobody's any more", Demand{}, observe(kept()), actionDelete, true},
		{"terminating", want, observe(kept(beingDeleted)), actionWait, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			done := decide(row.want, row.have, "")
			mustEqual(t, "action", done, row.action)
			mustEqual(t, "out of sync", isOut(done, row.want, row.have), row.isOut)
		})
	}
	if !isOut(actionVerify, other, observe(kept())) {
		t.Error("an edit that waits for a look is taken for done")
	}
}

// A member may write the credential that it was sent into a status, in whatever spelling: it gets no further.
func TestAStatusDoesNotTellTheCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := &hearing{Hub: &aHub{parent: aParent()}}
		b, _ := workWith(t, hub)
		defer b.stop()
		b.redact = func(text string) string { return strings.ReplaceAll(text, "the-token", "[redacted]") }
		for i, spell := range []func(string) string{
			func(token string) string { return token },
			func(token string) string { return strings.Replace(token, "t", `\u0074`, 1) },
		} {
			text := event(t, "ADDED", saying(8+i, fields{"status": "Failed", "errorMessage": "I was sent the-token", "message": strings.Repeat("the-token ", 20_000)}))
			b.server.Events <- strings.TrimSpace(strings.ReplaceAll(text, "the-token", spell("the-token")))
			synctest.Wait()
			expectRedacted(t, b.Report(at("api-health")))
		}
	})
}

func expectRedacted(t *testing.T, report results.Agent) {
	t.Helper()
	text, err := json.Marshal(report)
	must(t, err)
	if strings.Contains(string(text), "the-token") || !strings.Contains(string(text), "[redacted]") {
		t.Errorf("reported: %s", text)
	}
}

func TestAMemberThatCannotBeHeardSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := &hearing{Hub: &aHub{parent: aParent()}}
		b := work(t, hub, func(*fanouttest.Call) string { return "" })
		defer b.stop()
		fresh := New(b.joined, hub, b.options)
		if report := fresh.Report(at("api-health")); !report.Unheard || fresh.IsKnown() {
			t.Errorf("reported before anything was heard: %+v", report)
		}
		if news := fresh.lacks(reasonCRDMissing, "install it"); !news || fresh.lacks(reasonCRDMissing, "install it") {
			t.Error("it is news once")
		}
		report := fresh.Report(at("api-health"))
		if report.Unheard || report.Out.Reason != reasonCRDMissing || report.Out.Detail != "install it" || !fresh.IsKnown() {
			t.Errorf("reported of a member without the CRD: %+v", report)
		}
	})
}
