package results

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// stored is what a status takes in the hub: itself, and the managedFields of whoever applied it.
func stored(t testing.TB, status map[string]any) int {
	t.Helper()
	return len(text(t, status)) + len(text(t, map[string]any{"f:status": managed(status)}))
}

// managed is what the API server notes of fields, as recorded: in parent-in-a-hub-with-canary-checker.json.
func managed(value any) map[string]any {
	fields, _ := value.(map[string]any)
	noted := map[string]any{}
	for name, value := range fields {
		noted["f:"+name] = managed(value)
		if _, nested := value.(map[string]any); nested && name != "checkStatus" {
			noted["f:"+name].(map[string]any)["."] = map[string]any{}
		}
	}
	return noted
}

// TestManagedFieldsAreAsRecorded holds managed to what an API server made of a parent's status.
func TestManagedFieldsAreAsRecorded(t *testing.T) {
	canary := recordedCanary(t, "parent-in-a-hub-with-canary-checker.json")
	status := canary["status"].(map[string]any)
	for _, field := range []string{"checks", "observedGeneration", "replicas"} {
		delete(status, field)
	}
	for _, entry := range canary["metadata"].(map[string]any)["managedFields"].([]any) {
		if entry := entry.(map[string]any); entry["manager"] == "fanout" {
			if got, want := text(t, managed(status)), text(t, entry["fieldsV1"].(map[string]any)["f:status"]); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			return
		}
	}
	t.Error("the recording has nothing that fanout manages")
}

// fleet is that many agents, every tenth of which fails, every seventh is away.
func fleet(count int, err string) []Agent {
	agents := make([]Agent, count)
	for i := range agents {
		status := passing(time.Duration(i%25) * time.Second)
		if i%10 == 0 {
			status = failing(time.Duration(i%25)*time.Second, fmt.Sprintf(err, i))
		}
		agents[i] = agent(fmt.Sprintf("region-%d-cluster-%04d-prod", i%7, i), status)
		if i%7 == 1 {
			away(&agents[i])
		}
	}
	return agents
}

var notListed = regexp.MustCompile(`; (\d+) not listed$`)

func TestStaysWithinItsBound(t *testing.T) {
	hostile := strings.Repeat("<>&\"\\\u202e", 10_000) + "%d"
	for _, row := range []struct {
		name   string
		agents []Agent
		more   bool
	}{
		{"an ordinary fleet", fleet(500, "expected 503 to be in [200], attempt %d"), false},
		{"2,000 agents", fleet(2000, "expected 503 to be in [200], attempt %d"), true},
		{"2,000 agents, the tenth hostile", fleet(2000, hostile), true},
		{"2,000 hostile agents", func() []Agent {
			agents := make([]Agent, 2000)
			for i := range agents {
				status := failing(0, hostile)
				status["message"], status["uptime1h"], status["latency1h"], status["lastCheck"] = hostile, hostile, hostile, hostile
				agents[i] = agent(strings.Repeat("x", 240)+fmt.Sprint(i), status)
				agents[i].Out = Condition{Reason: strings.Repeat("Conflict", 100), Detail: hostile}
			}
			return agents
		}(), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := every30s()
			p.Fault = hostile
			for _, p := range []Parent{every30s(), p} {
				got := aggregate(p, row.agents...)
				size, message := stored(t, got.Status), got.Status["message"].(string)
				entries := got.Status["checkStatus"].(map[string]any)
				t.Logf("%d bytes, %d entries, message %q", size, len(entries), message)
				if size > MaxSize {
					t.Errorf("the status takes %d bytes", size)
				}
				if more := notListed.FindStringSubmatch(message); row.more != (more != nil) || more != nil && fmt.Sprint(len(row.agents)-len(entries)) != more[1] {
					t.Errorf("of %d agents %d are listed, and it says %q", len(row.agents), len(entries), message)
				}
				if row.more && size < MaxSize*9/10 {
					t.Errorf("it takes %d bytes, and leaves agents out", size)
				}
			}
		})
	}
}

// Who fails, is unreachable or out of sync is listed before those who pass.
func TestTheWorstAreListedFirst(t *testing.T) {
	agents := append(fleet(2000, "no, %d"), with(agent("zz", passing(0)), func(a *Agent) { a.Out.Reason = "Contested" }))
	entries := aggregate(every30s(), agents...).Status["checkStatus"].(map[string]any)
	for i := range agents {
		a := &agents[i]
		if _, listed := entries[a.Name]; !listed && (a.Result.Outcome == Failed || a.Away.Reason != "" || a.Out.Reason != "") {
			t.Errorf("%s is not listed, while %d are", a.Name, len(entries))
		}
	}
}

// Whoever may write to the parent's status can't make fanout write the same, or more than fits.
func TestWhatStoodThereBeforeIsBounded(t *testing.T) {
	hostile := "Passed: " + strings.Repeat("\x1b\u202e<script>", 100_000)
	got := aggregate(every30s(), Agent{Name: "a", Unheard: true, Before: &Entry{
		Message: hostile, ErrorMessage: hostile, Latency: hostile, Uptime: hostile, LastCheck: hostile, LastTransitioned: hostile,
	}})
	entry := got.Status["checkStatus"].(map[string]any)["a"].(map[string]any)
	if size := len(text(t, entry)); size > 3000 || strings.ContainsAny(fmt.Sprint(entry), "\x1b\u202e") || entry["lastCheck"] != nil {
		t.Errorf("%d bytes: %v", size, entry)
	}
}

// Ten thousand checks in one copy, and a MiB of every text.
func TestReadsWhatIsHuge(t *testing.T) {
	status, checks, ids := failing(0, strings.Repeat("\x00<script>", 1<<17)), map[string]any{}, map[string]any{}
	for i := range 10_000 {
		checks[fmt.Sprint(i)] = map[string]any{"uptime1h": strings.Repeat("9", 100), "message": "x"}
		ids[fmt.Sprint("check", i)] = fmt.Sprint(i)
	}
	status["checkStatus"], status["checks"], status["message"] = checks, ids, strings.Repeat("\u202e", 1<<19)
	got := read(status)
	if got.Outcome != Failed || !strings.HasPrefix(got.Error, "<script> <script>") || len(got.Error) > maxTexts || got.Message != "" {
		t.Errorf("it is read as %+v", got)
	}
}
