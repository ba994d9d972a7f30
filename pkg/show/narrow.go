package show

import (
	"fmt"
	"slices"

	"fanout/pkg/api"
	"fanout/pkg/results"
)

// IsFailing tells whether a copy fails, or did when something was last heard of it.
func IsFailing(c *api.Copy) bool { return isFailing(c.State) || isFailing(c.Before) }

func isFailing(state string) bool {
	return state == results.Failed.String() || state == results.Invalid.String()
}

// AnyFails tells whether any of a parent's copies fails.
func AnyFails(c *api.Canary) bool {
	return isFailing(c.State) || c.States[results.Failed.String()]+c.States[results.Invalid.String()] > 0
}

// Narrow is the parent as it fares on those of its agents alone that keep holds for.
func Narrow(c api.Canary, keep func(*api.Copy) bool) api.Canary {
	all := c.Copies
	c.Copies, c.Agents, c.InSync, c.OutOfSync, c.States = nil, 0, 0, 0, map[string]int{}
	c.LastCheck, c.LastTransition, c.Uptime, c.Latency = nil, nil, "", ""
	var sum uptime
	for i := range all {
		one := &all[i]
		if !keep(one) {
			continue
		}
		c.Copies = append(c.Copies, *one)
		c.Agents++
		c.States[one.State]++
		switch {
		case one.InSync:
			c.InSync++
		case one.OutOfSync != nil:
			c.OutOfSync++
		}
		if one.LastCheck != nil && (c.LastCheck == nil || one.LastCheck.After(*c.LastCheck)) {
			c.LastCheck = one.LastCheck
		}
		sum.add(one)
	}
	c.Uptime, c.Latency = sum.text(), sum.slowest
	c.State = worst(c.States)
	c.Message = fmt.Sprintf("%d of %d agents", c.Agents, len(all))
	return c
}

// worst is the state of a parent whose agents are in these.
func worst(states map[string]int) string {
	i := slices.IndexFunc(results.Worst, func(s results.State) bool { return states[s.String()] > 0 })
	if i < 0 {
		return results.Pending.String()
	}
	return results.Worst[i].String()
}

// uptime sums up the last hour of agents that are heard of.
type uptime struct {
	passed, runs, latency uint32
	slowest               string
}

func (u *uptime) add(c *api.Copy) {
	if c.State != results.Passed.String() && !isFailing(c.State) {
		return
	}
	if c.Passed != nil && c.Runs != nil {
		u.passed += *c.Passed
		u.runs += *c.Runs
	}
	if c.LatencyMillis != nil && (u.slowest == "" || *c.LatencyMillis > u.latency) {
		u.latency, u.slowest = *c.LatencyMillis, c.Latency
	}
}

func (u *uptime) text() string {
	if u.runs == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d (%.1f%%)", u.passed, u.runs, 100*float64(u.passed)/float64(u.runs))
}
