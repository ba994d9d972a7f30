package fanout

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/api"
	"fanout/pkg/clusters"
	"fanout/pkg/fanout/fanouttest"
)

func (h *aHub) agent(t *testing.T, name string, namespaces ...string) api.Agent {
	t.Helper()
	answer, err := h.Agents(t.Context(), namespaces...)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answer.Items {
		if a.Name == name {
			return a
		}
	}
	t.Fatalf("no agent %q: %+v", name, answer)
	return api.Agent{}
}

// copied is the only copy of the only parent.
func (h *aHub) copied(t *testing.T) (api.Canary, api.Copy) {
	t.Helper()
	one, err := h.Canary(t.Context(), "payments", "api-health")
	if err != nil || len(one.Canary.Copies) != 1 {
		t.Fatalf("%v: %+v", err, one)
	}
	return one.Canary, one.Canary.Copies[0]
}

func (h *aHub) listed(t *testing.T) api.Canary {
	t.Helper()
	all, err := h.Canaries(t.Context(), "payments")
	if err != nil || len(all.Items) != 1 {
		t.Fatalf("%v: %+v", err, all)
	}
	return all.Items[0]
}

func TestTellsOfAnAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		began := time.Now()
		pass(time.Minute)
		h.Miss(clusters.Missing{Agent: member1, Labels: map[string]string{"tier": "prod"}, State: clusters.Connecting, Since: time.Now()})
		h.Note(member1, &clusters.Particulars{Secret: "the-secret", Namespaces: "pay*, {a,b}", Expires: began.Add(time.Hour), Unused: "the last one\nstill is"})
		a := h.agent(t, member1)
		expires := began.Add(time.Hour).UTC()
		mustEqual(t, "agent", a, api.Agent{
			Name: member1, Secret: "the-secret", State: "Connecting", Since: began.Add(time.Minute).UTC(), Labels: map[string]string{"tier": "prod"},
			Namespaces: []string{"pay*", "{a,b}"}, CredentialExpires: &expires, Detail: "the last one still is", Selected: 1,
		})
		h.Complete()
		h.join(t, passes(0))
		pass(time.Second)
		h.Note(member1, &clusters.Particulars{Secret: "the-secret", ServerVersion: "v1.35.0"})
		a = h.agent(t, member1)
		if a.State != "Connected" || !a.Since.Equal(began.Add(time.Minute)) || a.ServerVersion != "v1.35.0" || a.Selected != 1 || a.InSync != 1 || a.Failing != 0 {
			t.Errorf("%+v", a)
		}
		h.brings(t, 2, fails("refused"))
		pass(time.Second)
		if a = h.agent(t, member1); a.Failing != 1 || a.InSync != 1 {
			t.Errorf("%+v", a)
		}
		if a = h.agent(t, member1, "other", "payments"); a.Selected != 1 || a.Failing != 1 || a.InSync != 1 {
			t.Errorf("by the Canaries of its namespace: %+v", a)
		}
		if a = h.agent(t, member1, "other"); a.Selected != 0 || a.Failing != 0 || a.InSync != 0 {
			t.Errorf("by the Canaries of another namespace: %+v", a)
		}
		h.Leave(member1)
		since := time.Now()
		h.Miss(clusters.Missing{Agent: member1, Labels: map[string]string{}, State: clusters.Unreachable, Detail: "no route", Since: since})
		pass(time.Second)
		if a = h.agent(t, member1); a.State != "Unreachable" || a.Detail != "no route" || !a.Since.Equal(since) || a.InSync != 0 || a.Selected != 1 {
			t.Errorf("%+v", a)
		}
		h.Forget(member1)
		leaving := clusters.Missing{Agent: member1, State: clusters.Leaving, Detail: "not clean yet", Since: since}
		for _, secret := range []string{"the-secret", "the-older-secret"} {
			h.Depart(leaving, &clusters.Particulars{Secret: secret, ServerVersion: "v1.35.0"})
		}
		pass(time.Second)
		if all, err := h.Agents(t.Context()); err != nil || len(all.Items) != 2 {
			t.Errorf("%v: %+v", err, all)
		}
		if a = h.agent(t, member1); a.State != "Leaving" || a.Detail != "not clean yet" || a.ServerVersion != "v1.35.0" || !a.Since.Equal(since) || a.Selected != 0 {
			t.Errorf("%+v", a)
		}
		if one, err := h.Canary(t.Context(), "payments", "api-health"); err != nil || len(one.Canary.Copies) != 0 {
			t.Errorf("a parent still speaks of it, %v: %+v", err, one)
		}
		h.misses(clusters.Connecting, map[string]string{})
		if a = h.agent(t, member1); a.State != "Connecting" {
			t.Errorf("another Secret registers it, but it is %+v", a)
		}
		h.Forget(member1)
		h.Departed("the-secret")
		h.Departed("the-older-secret")
		pass(time.Second)
		if all, err := h.Agents(t.Context()); err != nil || len(all.Items) != 1 || all.Items[0].Name != "local" {
			t.Errorf("%v: %+v", err, all)
		}
	})
}

func TestTellsOfACanary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		h.join(t, passes(0))
		if listed := h.listed(t); listed.State != "Passed" || listed.Agents != 1 || listed.States["Passed"] != 1 {
			t.Errorf("before statuses are kept: %+v", listed)
		}
		h.Complete()
		pass(time.Second)
		listed := h.listed(t)
		canary, copied := h.copied(t)
		canary.Copies = nil
		mustEqual(t, "in a list and alone", listed, canary)
		if canary.State != "Passed" || canary.Schedule != "@every 30s" || canary.Selector[0] != member1 || canary.InSync != 1 || canary.Message != "1 agent: 1 passed; 1 in sync" {
			t.Errorf("%+v", canary)
		}
		if copied.SelectedBy != member1 || !copied.InSync || *copied.Runs != 3 || *copied.LatencyMillis != 3 || copied.Heard == nil || copied.Name != "api-health" {
			t.Errorf("%+v", copied)
		}

		changed := h.Changed()
		h.brings(t, 2, fails("refused"))
		if _, copied = h.copied(t); copied.State != "Failed" || copied.Error != "refused" {
			t.Errorf("one Canary is as it is at the moment: %+v", copied)
		}
		pass(changesPause)
		if !isClosed(changed) {
			t.Error("nobody was told")
		}
		if listed = h.listed(t); listed.State != "Failed" || h.agent(t, member1).Failing != 1 {
			t.Errorf("a list is as it is at the moment, too: %+v", listed)
		}
		pass(time.Second)
		changed = h.Changed()
		pass(2 * time.Minute)
		if listed = h.listed(t); listed.State != "Stale" || !isClosed(changed) {
			t.Errorf("what changes by time alone is told, too: %+v", listed)
		}
		h.Leave(member1)
		h.misses(clusters.Unreachable, map[string]string{})
		if _, copied = h.copied(t); copied.State != "Unreachable" || copied.Before != "Failed" || copied.Away.Detail != "no route" || copied.InSync {
			t.Errorf("%+v", copied)
		}
		for _, name := range []string{"other", "api-health/x", ""} {
			if _, err := h.Canary(t.Context(), "payments", name); !errors.Is(err, api.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if all, err := h.Canaries(t.Context(), "other"); err != nil || len(all.Items) != 0 || all.Items == nil {
			t.Errorf("%v: %+v", err, all)
		}
	})
}

// What is heard while a status is aggregated, which may not know of it, is in lists all the same.
func TestListsMissNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		h.join(t, passes(0))
		h.Complete()
		pass(time.Second)
		s, key := h.statuses, types.NamespacedName{Namespace: "payments", Name: "api-health"}
		s.mu.Lock()
		known := s.all[key]
		known.aggregates()
		before := *known.told
		before.marks = slices.Clone(before.marks)
		s.mu.Unlock()
		h.brings(t, 2, fails("refused"))
		s.mu.Lock()
		after := s.tells(key, known, &before)
		s.mu.Unlock()
		after()
		if listed := h.listed(t); listed.State != "Failed" || listed.States["Failed"] != 1 || listed.States["Passed"] != 0 {
			t.Errorf("%+v", listed)
		}
	})
}

func TestTellsNothingBeforeTheHubIsRead(t *testing.T) {
	c := New((&fanouttest.Server{}).Client(t), testOptions(prometheus.NewRegistry()))
	if _, err := c.Agents(t.Context()); !errors.Is(err, api.ErrNotKnown) {
		t.Errorf("%v", err)
	}
	if _, err := c.Canary(t.Context(), "payments", "api-health"); !errors.Is(err, api.ErrNotKnown) {
		t.Errorf("%v", err)
	}
}

func TestFinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := startHub(t)
		find := func(agent string) (api.Found, error) {
			found, err := h.Find(t.Context(), agent, "payments", "api-health")
			return found.Found, err
		}
		if _, err := find("nobody"); !errors.Is(err, api.ErrNotFound) {
			t.Errorf("%v", err)
		}
		h.misses(clusters.Unreachable, map[string]string{})
		if _, err := find(member1); !errors.Is(err, api.ErrNotKnown) || !strings.Contains(err.Error(), "Unreachable: no route") {
			t.Errorf("%v", err)
		}
		h.join(t, passes(0))
		answer := ""
		h.member.Answer = func(*fanouttest.Call) string { return answer }
		asked := len(h.member.Asked())

		ours := copyOf("api-health")
		ours.Object["status"] = passes(0)
		ours.SetFinalizers([]string{"checker"})
		answer = asText(t, ours)
		found, err := find(member1)
		if err != nil || !found.Exists || found.Owner != thisHub || found.Terminating || found.Finalizers != nil || found.Canary["spec"] == nil || found.Canary["status"] != nil {
			t.Errorf("%v: %+v", err, found)
		}
		beingDeleted(ours)
		ours.SetLabels(map[string]string{"fanout.flanksource.com/hub": "another"})
		answer = asText(t, ours)
		if found, err = find(member1); err != nil || found.Owner != "another" || !found.Terminating || len(found.Finalizers) == 0 || found.Canary != nil {
			t.Errorf("%v: %+v", err, found)
		}
		answer = fanouttest.StatusOf(http.StatusNotFound, "NotFound")
		if found, err = find(member1); err != nil || found.Exists {
			t.Errorf("%v: %+v", err, found)
		}
		for _, answer = range []string{fanouttest.StatusOf(http.StatusForbidden, "Forbidden"), "<html>", asText(t, ours) + strings.Repeat(" ", 5<<20)} {
			if _, err = find(member1); !errors.Is(err, api.ErrNotKnown) || len(err.Error()) > 1000 {
				t.Errorf("%v", err)
			}
		}
		if n := len(h.member.Asked()) - asked; n != 6 {
			t.Errorf("%d requests for 6 questions", n)
		}
	})
}
