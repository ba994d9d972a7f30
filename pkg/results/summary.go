package results

import "time"

// States are numbers of agents, by State.
type States [len(stateNames)]int

// Summary is a parent's status in values.
type Summary struct {
	State                   State
	Message                 string
	LastCheck, Transitioned Stamp
	Uptime, Latency         string
	// Agents is how many there are, States how many of them are in each state. InSync and Out count those of which that is known.
	Agents, InSync, Out int
	States              States
	// Unlisted is for how many agents the status has no room.
	Unlisted int
}

// AgentSummary is what an agent adds to a Summary.
type AgentSummary struct {
	Name        string
	State       State
	InSync, Out bool
}

// Failing tells whether the agent runs its copy, which fails.
func (a AgentSummary) Failing() bool { return a.State.failing() }

// Summarize returns what one agent adds to p's Summary at the time now.
func Summarize(p Parent, agent *Agent, now time.Time) AgentSummary {
	l := lineOf(agent, &p, &clock{schedule: p.Schedule, now: now})
	return l.summary()
}

func (l *line) summary() AgentSummary {
	return AgentSummary{Name: l.name, State: l.state, InSync: l.inSync(), Out: !l.unknown && l.out != ""}
}

// Move has an agent that added before add after from now on. Times, uptime and latency of the whole remain as they are. It is for a parent
// without a fault.
func (s *Summary) Move(before, after AgentSummary, now time.Time) {
	s.States[before.State]--
	s.States[after.State]++
	s.InSync += oneIf(after.InSync) - oneIf(before.InSync)
	s.Out += oneIf(after.Out) - oneIf(before.Out)
	t := totals{agents: s.Agents, inSync: s.InSync, out: s.Out, states: s.States}
	s.Message = t.message("", s.Unlisted)
	if state := t.state(""); state != s.State {
		s.State, s.Transitioned = state, StampOf(now)
	}
}

func oneIf(is bool) int {
	if is {
		return 1
	}
	return 0
}

// summary is what that status says.
func (t *totals) summary(status map[string]any, transitioned Stamp, unlisted int) Summary {
	state, _ := parseState(scalar(status["status"]))
	return Summary{
		State: state, Message: scalar(status["message"]), LastCheck: t.lastCheck, Transitioned: transitioned,
		Uptime: scalar(status["uptime1h"]), Latency: scalar(status["latency1h"]),
		Agents: t.agents, States: t.states, InSync: t.inSync, Out: t.out, Unlisted: unlisted,
	}
}

// Line is how one agent fares, in values: what a parent's status says of it.
type Line struct {
	Name string
	// State is how it fares, Before how it did when something was last heard of its copy; Pending where that is not known or no other.
	State, Before State
	// Text is what there is to say of State, or what the check displays; Error is why its checks fail.
	Text, Error string
	// Unknown says that nothing is known of it yet.
	Unknown bool
	// InSync says that it is known to hold what the parent asks for. Out is why it is known not to, Away why it can't be asked.
	InSync    bool
	Out, Away Condition
	// LastCheck and Transitioned are the member's, Heard is when LastCheck was heard of.
	LastCheck, Transitioned, Heard Stamp
	// Uptime and Latency are as a status has them; Passed of Runs, and LatencyMillis if it is Timed, are that in numbers.
	Uptime, Latency string
	Passed, Runs    uint32
	LatencyMillis   uint32
	Timed           bool
}

// Lines returns what Aggregate says of each agent, of all of them and by name.
func Lines(p Parent, agents []Agent, now time.Time) []Line {
	c := clock{schedule: p.Schedule, now: now}
	known := merged(agents)
	lines := make([]Line, len(known))
	for i, a := range known {
		l := lineOf(a, &p, &c)
		lines[i] = l.values(a)
	}
	return lines
}

// values are those of the line, which is a's.
func (l *line) values(a *Agent) Line {
	r, entry := &l.result, l.entry()
	v := Line{
		Name: l.name, State: l.state, Text: clip(l.text, maxDetail), Error: entry.ErrorMessage,
		Unknown: l.unknown, InSync: l.inSync(), Away: a.Away.bounded(),
		LastCheck: r.believed(r.LastCheck), Transitioned: r.believed(r.Transitioned), Heard: r.Heard,
		Uptime: entry.Uptime, Latency: entry.Latency, Passed: r.Passed, Runs: r.Runs, LatencyMillis: r.Latency, Timed: r.Timed,
	}
	if l.last != l.state {
		v.Before = l.last
	}
	if l.out != "" {
		v.Out = a.out().bounded()
		v.Out.Reason = l.out // which may be as it was before
	}
	return v
}
