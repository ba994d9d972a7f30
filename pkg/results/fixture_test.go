package results

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// noon is when all was recorded, about.
var noon = time.Date(2026, 11, 24, 12, 33, 0, 0, time.UTC)

// recordings are what a real canary-checker was recorded to write.
var recordings = filepath.Join("..", "..", "..", "shared", "upstream", "statuses")

// recorded reads one of them.
func recorded(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(recordings, name))
	switch {
	case os.IsNotExist(err) && os.Getenv("CI") == "":
		t.Skipf("no recording to compare with: %v", err)
	case err != nil:
		t.Fatalf("what canary-checker was recorded to write is missing: %v", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// recordedCanary reads a recording that is a Canary.
func recordedCanary(t testing.TB, name string) map[string]any {
	t.Helper()
	var canary map[string]any
	recorded(t, name, &canary)
	return canary
}

// read reads a status as if it were the first that is heard of the copy.
func read(status any) Result { return new(Reader).Read(status, Result{}, noon) }

// object reads JSON.
func object(t testing.TB, text string) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// every30s is a parent like most.
func every30s() Parent { return Parent{Generation: 1, Schedule: ParseSchedule("@every 30s", 0)} }

// agent is one that is heard, whose copy says that.
func agent(name string, status any) Agent {
	return Agent{Name: name, HasCopy: true, Created: StampOf(noon.Add(-time.Hour)), Result: read(status)}
}

// passing is a status of a copy that passed when it was run that long ago.
func passing(ago time.Duration) map[string]any {
	at := noon.Add(-ago).Format(time.RFC3339)
	return map[string]any{
		"status": "Passed", "lastCheck": at, "lastTransitionedTime": "2026-11-24T12:00:00Z", "uptime1h": "12/12 (100.0%)", "latency1h": "3ms",
		"checks": map[string]any{"api": "1"}, "observedGeneration": int64(2), "replicas": int64(1),
		"checkStatus": map[string]any{"1": map[string]any{"uptime1h": "12/12 (100.0%)"}},
	}
}

// failing is one of a copy that failed with that error.
func failing(ago time.Duration, err string) map[string]any {
	status := passing(ago)
	status["status"], status["errorMessage"], status["uptime1h"] = "Failed", err, "6/12 (50.0%)"
	return status
}

// aggregate aggregates at noon over what the parent's status says, which is nothing.
func aggregate(p Parent, agents ...Agent) Aggregated { return Aggregate(p, agents, Shown{}, noon) }

// text is a status as JSON.
func text(t testing.TB, status any) string {
	t.Helper()
	bytes, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes)
}
