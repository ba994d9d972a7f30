package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/pkg/clusters"
	"fanout/pkg/results"
	"fanout/test/fixture"
)

// Whatever a member's statuses hold, the parent's stays small and readable, and the other agent's result is there beside it.
func TestResultsOfAHostileMember(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	controller := w.startFanout(t)
	w.hub.Apply(t, w.hourly("api-health", "*"))
	for _, agent := range []string{"eu-west-prod", "us-east-prod"} {
		w.expectDerived(t, agent, "api-health")
	}
	now := time.Now()
	for i, row := range []struct {
		name, says string
		change     func(fixture.Status)
	}{
		{"a message of a MB", "Passed: …", func(s fixture.Status) { s["message"] = strings.Repeat("all is well ", 80_000) }},
		{"an error of a MB", "Failed | …", func(s fixture.Status) { s["errorMessage"] = strings.Repeat("<script>alert(1)</script>", 20_000) }},
		{"5,000 checks", "Passed", func(s fixture.Status) {
			checks, statuses := map[string]any{}, map[string]any{}
			for i := range 5_000 {
				id := fmt.Sprintf("018f-%d", i)
				checks[fmt.Sprintf("check-%d", i)], statuses[id] = id, map[string]any{"uptime1h": "1/1 (100.0%)"}
			}
			s["checks"], s["checkStatus"] = checks, statuses
		}},
		{"control characters", "Failed | [31mred green", func(s fixture.Status) { s["errorMessage"] = "\x1b[31mred\x00\r\n\u202egreen\u200b" }},
		{"markup", "Passed: <img src=x onerror=alert(1)>", func(s fixture.Status) { s["message"] = "<img src=x onerror=alert(1)>" }},
		{"a time to come", "Passed: last check 2099-01-02T03:04:05Z", func(s fixture.Status) { s["lastCheck"] = "2099-01-02T03:04:05Z" }},
		{"a time long ago", "Passed: last check 0001-01-01T00:00:00Z", func(s fixture.Status) { s["lastCheck"] = "0001-01-01T00:00:00Z" }},
		{"numbers that are none", "Passed", func(s fixture.Status) { s["uptime1h"], s["latency1h"] = "-1/0 (NaN%)", "99999999999999999999h" }},
		{"a word of its own", "Invalid: Unreachable, P…before", func(s fixture.Status) { s["status"] = "Unreachable, Passed before" }},
	} {
		t.Log(row.name)
		status := fixture.Passing(now.Add(time.Duration(i) * time.Second))
		row.change(status)
		if err := w.members["eu-west-prod"].TryReport(t, w.canaries, "api-health", status); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		other, says := fixture.Failing(now, fmt.Sprintf("attempt %d", i)), fmt.Sprintf("Failed | attempt %d", i)
		if i%2 == 0 { // a transition each time, so that it shows soon
			other, says = fixture.Passing(now), "Passed"
		}
		w.members["us-east-prod"].Report(t, w.canaries, "api-health", other)
		fixture.Eventually(t, row.name+" is shown", func() error {
			parent := w.hub.Get(t, w.canaries, "api-health")
			shown := fixture.ReadShown(parent)
			if got := shown.Agents["us-east-prod"]; got != says {
				return fmt.Errorf("the other says %q", got)
			}
			if got := shown.Agents["eu-west-prod"]; got != row.says && !(strings.HasSuffix(row.says, "…") && strings.HasPrefix(got, strings.TrimSuffix(row.says, "…"))) {
				return fmt.Errorf("it says %q", got)
			}
			text, err := json.Marshal(parent.Object["status"])
			if err != nil || len(text) > 4<<10 {
				t.Errorf("the status is %d bytes long (%v)", len(text), err)
			}
			for agent, says := range shown.Agents {
				if strings.ContainsFunc(says, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("%s says %q", agent, says)
				}
			}
			return nil
		})
	}
	if failed := controller.Metric(t, "fanout_status_writes_total", "outcome", "failed"); failed != 0 {
		t.Errorf("%v statuses could not be written", failed)
	}
}

// Fifteen hundred agents do not fit into one status: the worst are listed, all are counted, and the hub takes it.
func TestResultsOfMoreAgentsThanFit(t *testing.T) {
	const crowd = 1500
	w := newWorld(t, "eu-west-prod")
	inLanes(crowd, func(i int) {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Name:   fmt.Sprintf("an-agent-whose-name-is-as-long-as-names-of-clusters-may-be-%04d", i),
				Labels: map[string]string{clusters.LabelSecretType: clusters.SecretTypeCluster},
			},
			Data: map[string][]byte{clusters.KubeconfigKey: []byte("no kubeconfig")},
		}
		if _, err := w.hub.Kube.CoreV1().Secrets(w.namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
			t.Error(err)
		}
	})
	controller := w.startFanout(t)
	w.hub.Apply(t, w.hourly("api-health", "*"))
	w.expectDerived(t, "eu-west-prod", "api-health")
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Failing(time.Now(), "refused"))
	var agents map[string]string
	fixture.Eventually(t, "the one that fails comes first, and the others are counted", func() error {
		parent := w.hub.Get(t, w.canaries, "api-health")
		shown := fixture.ReadShown(parent)
		agents = shown.Agents
		want := fmt.Sprintf("%d agents: 1 failed, %d unreachable; 1 in sync; %d not listed", crowd+1, crowd, crowd+1-len(agents))
		if shown.Status != "Failed" || shown.Message != want || agents["eu-west-prod"] != "Failed | refused" {
			return fmt.Errorf("it is %s: %s", shown.Status, shown.Message)
		}
		text, err := json.Marshal(map[string]any{"status": parent.Object["status"], "managers": parent.GetManagedFields()})
		if err != nil || len(text) > results.MaxSize+4<<10 {
			t.Errorf("the status and who manages it take %d bytes (%v)", len(text), err)
		}
		return nil
	})
	t.Logf("%d of %d are listed", len(agents), crowd+1)
	if failed := controller.Metric(t, "fanout_status_writes_total", "outcome", "failed"); failed != 0 {
		t.Errorf("%v statuses could not be written", failed)
	}

	t.Log("after a restart, without a write")
	controller.Stop(t)
	before := len(w.statusWrites(t))
	w.startFanout(t)
	w.hub.Apply(t, w.hourly("new", "eu-*"))
	w.expectShown(t, "new", "Pending", "1 agent: 1 pending; 1 in sync", nil)
	for _, write := range w.statusWrites(t)[before:] {
		if write.Name != "new" {
			t.Errorf("%s of %s by %s", write.Verb, write.Name, write.UserAgent)
		}
	}
}
