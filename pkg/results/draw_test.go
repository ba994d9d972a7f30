package results

import (
	"fmt"
	"time"

	"pgregory.net/rapid"
)

// texts are what a member may write where a text stands.
var texts = rapid.OneOf(
	rapid.SampledFrom([]string{
		"", "connection refused", "expected 500 to be in [200]", "\x1b[2J\u202e", "a: b, c before, out of sync (Conflict): d", "Passed", "\xff\xfe",
		"Failed, Passed before", "<b>&amp;\"\\", "  two  blanks ", "\u00a0\u2028\n", "3 agents: 3 failed; 0 in sync, 3 out of sync", "no (text)",
	}),
	rapid.String(),
	rapid.StringN(0, 400, -1),
	rapid.Map(rapid.StringN(1, 8, -1), func(s string) string {
		for len(s) < 5000 {
			s += s
		}
		return s
	}),
)

// instants are what a member may write for a time.
var instants = rapid.OneOf(
	rapid.Map(rapid.IntRange(-7200, 7200), func(ago int) string { return noon.Add(-time.Duration(ago) * time.Second).Format(time.RFC3339) }),
	rapid.SampledFrom([]string{"", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00Z", "2105-01-01T00:00:00Z", "soon"}),
	texts,
)

// values are what may stand in JSON.
var values = rapid.OneOf(
	rapid.Map(texts, func(s string) any { return s }), rapid.Map(texts, func(s string) any { return s }),
	rapid.SampledFrom([]any{nil, true, int64(-1), 1e300, []any{"x"}, map[string]any{"a": nil}}),
)

// drawStatus draws the status of a copy: as canary-checker writes it, or as somebody hostile does.
func drawStatus(t *rapid.T) any {
	word := rapid.SampledFrom([]string{"Passed", "Passed", "Failed", "Invalid", "", "Odd"}).Draw(t, "word")
	status := map[string]any{}
	if word != "" {
		runs := rapid.IntRange(1, 30).Draw(t, "runs")
		passed := rapid.IntRange(0, runs).Draw(t, "passed")
		status = map[string]any{
			"status": word, "lastCheck": instants.Draw(t, "lastCheck"), "lastTransitionedTime": instants.Draw(t, "transitioned"),
			"uptime1h": formatUptime(uint64(passed), uint64(runs)), "latency1h": formatLatency(rapid.Uint32Range(0, 200_000).Draw(t, "latency")),
			"checks": map[string]any{"api": "1"},
		}
		if word != "Passed" || rapid.Bool().Draw(t, "error") {
			status["errorMessage"] = texts.Draw(t, "errorMessage")
		}
	}
	for _, field := range rapid.SliceOfN(rapid.SampledFrom([]string{"status", "message", "errorMessage", "lastCheck", "uptime1h", "latency1h", "checkStatus"}), 0, 3).Draw(t, "odd") {
		status[field] = values.Draw(t, field)
	}
	return status
}

func drawCondition(t *rapid.T, reasons ...string) Condition {
	reason := rapid.SampledFrom(append(reasons, "", "", "")).Draw(t, "reason")
	if reason == "" {
		return Condition{}
	}
	return Condition{Reason: reason, Detail: texts.Draw(t, "detail")}
}

func drawAgent(t *rapid.T, name string) Agent {
	a := Agent{Name: name, Away: drawCondition(t, "Unreachable", "Unauthorized"), Out: drawCondition(t, "Waiting", "Conflict", "Contested")}
	if a.HasCopy = rapid.IntRange(0, 4).Draw(t, "copy") > 0; a.HasCopy {
		a.Created = StampOf(noon.Add(-time.Duration(rapid.IntRange(-60, 300).Draw(t, "age")) * time.Second))
		a.Result = read(drawStatus(t))
	}
	return a
}

func drawAgents(t *rapid.T) []Agent {
	var agents []Agent
	for i := range rapid.IntRange(0, 8).Draw(t, "agents") {
		agents = append(agents, drawAgent(t, fmt.Sprintf("agent-%d", i)))
	}
	return agents
}

func drawParent(t *rapid.T) Parent {
	p := Parent{
		Generation: 1, Paused: rapid.IntRange(0, 9).Draw(t, "paused") == 0,
		Schedule: ParseSchedule(rapid.SampledFrom([]string{"@every 30s", "@every 30s", "*/5 * * * *", "", "sometimes", "0 0 30 2 *"}).Draw(t, "schedule"), 0),
	}
	if rapid.IntRange(0, 4).Draw(t, "faulty") == 0 {
		p.Fault = texts.Draw(t, "fault")
	}
	return p
}
