package results

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Aggregated is a parent's status, and what whoever writes it has to know.
type Aggregated struct {
	// Status are the fields of status that are fanout's, for server-side apply. checks, replicas and observedGeneration are not among
	// them: a canary-checker in the hub writes those.
	Status map[string]any
	// Shown is what Status says.
	Shown Shown
	// Next is when Status would change by time alone; zero is never.
	Next time.Time
	// Unknown is of how many agents nothing is known yet; their state is Pending until then.
	Unknown int
	// Summary is what Status says in values.
	Summary Summary
	// Agents are all agents by name, also those for which Status has no room.
	Agents []AgentSummary
}

// Aggregate makes a parent's status at the time now of what is known of the agents that it selects; while its selector is not valid,
// of those that hold a copy of it. before is what its status says already.
func Aggregate(p Parent, agents []Agent, before Shown, now time.Time) Aggregated {
	c := clock{schedule: p.Schedule, now: now}
	known := merged(agents)
	lines := make([]line, len(known))
	order := make([]*line, len(known))
	each := make([]AgentSummary, len(known))
	var t totals
	for i, a := range known {
		lines[i] = lineOf(a, &p, &c)
		order[i] = &lines[i]
		each[i] = t.add(order[i])
	}
	slices.SortFunc(order, (*line).compare)
	errors := troubles(p.Fault, order)
	entries := listed(order, errors)
	unlisted := len(order) - len(entries)

	latency := ""
	if t.timed {
		latency = formatLatency(t.latency)
	}
	// Empty ones are written too: where a canary-checker ran this Canary before it became a parent, its last words would stay.
	status := map[string]any{
		"status":       t.state(p.Fault).String(),
		"message":      t.message(p.Fault, unlisted),
		"errorMessage": errors,
		"uptime1h":     formatUptime(t.passed, t.runs),
		"latency1h":    latency,
		"checkStatus":  entries,
	}
	transitioned := before.Transitioned
	if transitioned == 0 || before.State != t.state(p.Fault) {
		transitioned = StampOf(now)
	}
	status["lastTransitionedTime"] = transitioned.String()
	if t.lastCheck != 0 {
		status["lastCheck"] = t.lastCheck.String()
	}
	shown := ReadShown(status)
	shown.Generation = p.Generation
	return Aggregated{Status: status, Shown: shown, Next: c.next, Unknown: t.unknown, Summary: t.summary(status, transitioned, unlisted), Agents: each}
}

// totals are the numbers of all agents.
type totals struct {
	agents, inSync, out, unknown int
	states                       States
	passed, runs                 uint64
	latency                      uint32
	timed                        bool
	lastCheck                    Stamp
}

func (t *totals) add(l *line) AgentSummary {
	t.agents++
	t.states[l.state]++
	switch {
	case l.unknown:
		t.unknown++
	case l.inSync():
		t.inSync++
	case l.out != "":
		t.out++
	}
	t.lastCheck = max(t.lastCheck, l.result.believed(l.result.LastCheck))
	if l.isCurrent() {
		t.passed += uint64(l.result.Passed)
		t.runs += uint64(l.result.Runs)
		t.latency = max(t.latency, l.result.Latency)
		t.timed = t.timed || l.result.Timed
	}
	return l.summary()
}

// state is that of the parent: of its agents' states the worst, and Pending where it has none.
func (t *totals) state(fault string) State {
	worst := Pending
	for _, s := range Worst {
		if t.states[s] > 0 {
			worst = s
			break
		}
	}
	if fault != "" && worst != Failed {
		return Invalid
	}
	return worst
}

// message is the parent's message: "3 agents: 2 passed, 1 failed; 3 in sync".
func (t *totals) message(fault string, unlisted int) string {
	var parts []string
	if fault != "" {
		parts = append(parts, "agentSelector is not valid, so the copies stay as they are")
	}
	if t.agents == 0 {
		none := "0 agents"
		if fault == "" {
			none += ": agentSelector matches none of those that are registered"
		}
		return strings.Join(append(parts, none), "; ")
	}
	var states []string
	for _, s := range append([]State{Passed}, Worst[:len(Worst)-1]...) {
		if n := t.states[s]; n > 0 {
			states = append(states, fmt.Sprintf("%d %s", n, strings.ToLower(s.String())))
		}
	}
	noun := "agents"
	if t.agents == 1 {
		noun = "agent"
	}
	sync := fmt.Sprintf("%d in sync", t.inSync)
	if t.out > 0 {
		sync += fmt.Sprintf(", %d out of sync", t.out)
	}
	parts = append(parts, fmt.Sprintf("%d %s: %s", t.agents, noun, strings.Join(states, ", ")), sync)
	if unlisted > 0 {
		parts = append(parts, fmt.Sprintf("%d not listed", unlisted))
	}
	return strings.Join(parts, "; ")
}

// maxTroubles is how many agents' errors the parent's errorMessage has.
const maxTroubles = 5

// troubles is the parent's errorMessage: the selector's fault, and the first of the agents' errors.
func troubles(fault string, order []*line) string {
	var first []string
	if fault != "" {
		first = append(first, "agentSelector: "+clip(fault, maxDetail))
	}
	more := 0
	for _, l := range order {
		switch {
		case !l.isTrouble():
		case len(first) == maxTroubles:
			more++
		default:
			first = append(first, l.name+": "+l.trouble())
		}
	}
	text := strings.Join(first, "; ")
	if more > 0 {
		text += fmt.Sprintf(" (%d more)", more)
	}
	return text
}
