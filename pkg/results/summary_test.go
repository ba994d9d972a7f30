package results

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The values are what the status says in text.
func TestValuesSayWhatTheStatusSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, agents := drawParent(t), drawAgents(t)
		whole := aggregate(p, agents...)
		entries := ReadEntries(wire(t, whole.Status))
		lines := Lines(p, agents, noon)
		if len(lines) != len(entries) || len(lines) != whole.Summary.Agents || len(lines) != len(whole.Agents) {
			t.Fatalf("%d lines of %d agents in the status, %d in its summary and %d beside it", len(lines), len(entries), whole.Summary.Agents, len(whole.Agents))
		}
		sum := Summary{Agents: len(lines)}
		for i, l := range lines {
			entry := entries[l.Name]
			told := Entry{
				ErrorMessage: l.Error, Uptime: l.Uptime, Latency: l.Latency, LastCheck: l.LastCheck.String(), LastTransitioned: l.Transitioned.String(),
				Message: head{state: l.State, last: l.Before, out: l.Out.Reason}.of(l.Text),
			}
			if diff := cmp.Diff(*entry, told); diff != "" {
				t.Fatalf("%s says something else in values:\n%s", l.Name, diff)
			}
			for _, text := range []string{l.Text, l.Error, l.Out.Detail, l.Away.Detail} {
				if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || len(text) > maxDetail {
					t.Fatalf("%s says %q", l.Name, text)
				}
			}
			sum.States[l.State]++
			each := AgentSummary{Name: l.Name, State: l.State, InSync: l.InSync, Out: l.Out.Reason != ""}
			if whole.Agents[i] != each {
				t.Fatalf("%+v, but its line comes to %+v", whole.Agents[i], each)
			}
			if each.InSync {
				sum.InSync++
			}
			if each.Out {
				sum.Out++
			}
		}
		got := whole.Summary
		if got.States != sum.States || got.InSync != sum.InSync || got.Out != sum.Out {
			t.Fatalf("%+v, but its lines come to %+v", got, sum)
		}
		texts := map[string]string{
			"status": got.State.String(), "message": got.Message, "uptime1h": got.Uptime, "latency1h": got.Latency,
			"lastCheck": got.LastCheck.String(), "lastTransitionedTime": got.Transitioned.String(),
		}
		for field, text := range texts {
			if said := scalar(whole.Status[field]); said != text {
				t.Fatalf("%s is %q in the status, and %q in values", field, said, text)
			}
		}
	})
}

// A Summary in which one agent has moved is that of all agents anew, but for times, uptime and latency.
func TestMove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, all := drawParent(t), append(drawAgents(t), drawAgent(t, "last"))
		p.Fault = ""
		before := aggregate(p, all...)
		moved := rapid.IntRange(0, len(all)-1).Draw(t, "which")
		all[moved] = drawAgent(t, all[moved].Name)
		after := aggregate(p, all...)
		got, later := before.Summary, noon.Add(time.Second)
		got.Move(before.Agents[moved], Summarize(p, &all[moved], noon), later)
		want := after.Summary
		want.LastCheck, want.Uptime, want.Latency, want.Unlisted = got.LastCheck, got.Uptime, got.Latency, got.Unlisted
		if want.Transitioned = StampOf(later); want.State == before.Summary.State {
			want.Transitioned = before.Summary.Transitioned
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// What there is no room for in a status is among the values.
func TestValuesAreOfAllAgents(t *testing.T) {
	const many = 3000
	agents := fleet(many, "refused")
	whole := aggregate(every30s(), agents...)
	if listed := len(ReadEntries(whole.Status)); listed >= many || len(whole.Agents) != many || len(Lines(every30s(), agents, noon)) != many {
		t.Errorf("%d agents are listed, %d summed up, and there are %d lines", listed, len(whole.Agents), len(Lines(every30s(), agents, noon)))
	}
}

func TestLines(t *testing.T) {
	out := NewCondition("Conflict", "somebody else's\nstands there", noon)
	gone := NewCondition("Unreachable", "timed out", noon.Add(-time.Minute))
	conflicting, away, new := agent("a", failing(0, "refused")), agent("b", passing(0)), Agent{Name: "c", Unheard: true}
	conflicting.Out, away.Away = out, gone
	lines := Lines(every30s(), []Agent{new, conflicting, away}, noon)
	for i, want := range []string{
		"a Failed Pending false Conflict: somebody else's stands there ",
		"b Unreachable Passed false  Unreachable: timed out",
		"c Pending Pending false  ",
	} {
		l := lines[i]
		say := func(c Condition) string { return join(c.Reason, c.Detail) }
		if got := fmt.Sprintln(l.Name, l.State, l.Before, l.InSync, say(l.Out), say(l.Away)); got != want+"\n" {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if l := lines[0]; l.Out.Since != StampOf(noon) || l.Passed != 6 || l.Runs != 12 || l.LatencyMillis != 3 || !l.Timed || l.Error != "refused" {
		t.Errorf("%+v", l)
	}
}
