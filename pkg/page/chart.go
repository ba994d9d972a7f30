package page

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// chart shows latency and uptime of the last hour side by side: where there are few agents one line for each, where there are many one for each
// group of them, with those that stand out by name.
type chart struct {
	// Each says that each line is one agent.
	Each  bool
	Lines []chartLine
	More  int // lines that are not shown
	// Ticks are on the latencies' axis, which is logarithmic.
	Ticks []tick
	// Shares are on the uptimes' axis, which ends at 100 %.
	Shares []tick
	Empty  bool
	// Silent are agents that are left out, since of them nothing is known of that hour.
	Silent int
}

type chartLine struct {
	Name, Href      string
	Agents          int
	Look            look
	Latency, Uptime strip
	// Median and the others are in words what the strips show. Slowest and Lowest are the agents that stand out.
	Median, Whole   string
	Slowest, Lowest []outlier
}

type outlier struct{ Name, Href, Text string }

type tick struct {
	X     float64
	Text  string
	First bool
	Last  bool
}

const (
	eachUpTo    = 30 // agents: more of them are drawn in groups
	linesShown  = 40
	outliers    = 3
	stripWidth  = 300
	stripHeight = 30
)

// chartOf draws the lines, of whatever agents they are, by groups.
func chartOf(lines []copyLine, by string) chart {
	var timed []copyLine
	for _, l := range lines {
		if l.isCurrent() {
			timed = append(timed, l)
		}
	}
	c := chart{Each: len(timed) <= eachUpTo, Empty: len(timed) == 0, Silent: len(lines) - len(timed)}
	scale := scaleOf(timed)
	least := leastUptime(timed)
	if c.Each {
		least = 0
	}
	c.Ticks, c.Shares = scale.ticks(), shares(least)
	groups := groupLines(timed, by, c.Each)
	c.More = max(0, len(groups)-linesShown)
	for _, g := range groups[:len(groups)-c.More] {
		c.Lines = append(c.Lines, g.draw(scale, least, c.Each))
	}
	return c
}

// isCurrent tells whether something is known of the last hour.
func (l copyLine) isCurrent() bool {
	return (l.State == "Passed" || l.isFailing()) && (l.cell.latency != noLatency || l.cell.runs > 0)
}

func (l copyLine) isFailing() bool { return l.State == "Failed" || l.State == "Invalid" }

type lineGroup struct {
	name  string
	lines []copyLine
}

func groupLines(lines []copyLine, by string, each bool) (groups []lineGroup) {
	index := map[string]int{}
	for _, l := range lines {
		name := l.Agent
		if !each {
			name = "all agents"
			if by != "" {
				name = "no such label"
				if l.agent != nil {
					name = cmp.Or(groupOf(l.agent, by), name)
				}
			}
		}
		at, known := index[name]
		if !known {
			at = len(groups)
			index[name] = at
			groups = append(groups, lineGroup{name: name})
		}
		groups[at].lines = append(groups[at].lines, l)
	}
	slices.SortFunc(groups, func(a, b lineGroup) int {
		if each && by != "" && a.lines[0].agent != nil && b.lines[0].agent != nil {
			if order := strings.Compare(groupOf(a.lines[0].agent, by), groupOf(b.lines[0].agent, by)); order != 0 {
				return order
			}
		}
		return strings.Compare(a.name, b.name)
	})
	return groups
}

// draw draws one line.
func (g lineGroup) draw(scale scale, least float64, each bool) chartLine {
	line := chartLine{Name: g.name, Agents: len(g.lines)}
	var slow, up []value
	passed, runs := 0, 0
	for _, l := range g.lines {
		bad := l.isFailing()
		if l.cell.latency != noLatency {
			slow = append(slow, value{of: float64(l.cell.latency), bad: bad, name: l.Agent, href: l.Href})
		}
		if l.cell.runs > 0 {
			passed, runs = passed+int(l.cell.passed), runs+int(l.cell.runs)
			up = append(up, value{of: float64(l.cell.passed) / float64(l.cell.runs) * 100, bad: bad, name: l.Agent, href: l.Href})
		}
	}
	sortValues(slow)
	sortValues(up)
	if each {
		line.Href, line.Look = g.lines[0].Href, g.lines[0].Look
	}
	if len(slow) > 0 {
		line.Median = millis(at(slow, 0.5))
		line.Latency = newStrip(slow, scale.place)
		line.Slowest = outside(slow, +1, millis)
	}
	if runs > 0 {
		line.Whole = percent(float64(passed) / float64(runs) * 100)
		line.Uptime = newStrip(up, func(v float64) float64 { return (v - least) / (100 - least) * stripWidth })
		line.Lowest = outside(up, -1, percent)
	}
	if each {
		line.Slowest, line.Lowest = nil, nil
	}
	return line
}

// value is one agent's, in a strip.
type value struct {
	of         float64
	bad        bool
	name, href string
}

func sortValues(values []value) {
	slices.SortStableFunc(values, func(a, b value) int { return cmp.Compare(a.of, b.of) })
}

// at returns a quantile of values, which are in order.
func at(values []value, quantile float64) float64 {
	return values[int(math.Round(quantile*float64(len(values)-1)))].of
}

// outside returns the values that stand out on one side: further from the middle half than its half width again, and by a tenth at least.
func outside(values []value, side float64, text func(float64) string) (found []outlier) {
	low, high := at(values, 0.25), at(values, 0.75)
	limit := max((high-low)*1.5, high*0.1)
	for i := range values {
		v := values[i]
		if side > 0 {
			v = values[len(values)-1-i]
		}
		if side > 0 && v.of <= high+limit || side < 0 && v.of >= low-limit || len(found) == outliers {
			break
		}
		found = append(found, outlier{v.name, v.href, text(v.of)})
	}
	return found
}

// scale is a logarithmic axis of milliseconds, between powers of ten.
type scale struct{ low, high float64 }

func scaleOf(lines []copyLine) scale {
	low, high := math.Inf(1), 1.0
	for _, l := range lines {
		if l.cell.latency != noLatency {
			v := max(1, float64(l.cell.latency))
			low, high = min(low, v), max(high, v)
		}
	}
	s := scale{math.Floor(math.Log10(min(low, high))), math.Ceil(math.Log10(high))}
	if s.high <= s.low {
		s.high = s.low + 1
	}
	return s
}

func (s scale) place(v float64) float64 {
	return (math.Log10(max(1, v)) - s.low) / (s.high - s.low) * stripWidth
}

func (s scale) ticks() (ticks []tick) {
	for power := s.low; power <= s.high; power++ {
		v := math.Pow(10, power)
		ticks = append(ticks, tick{X: s.place(v), Text: millis(v), First: power == s.low, Last: power == s.high})
	}
	return ticks
}

// leastUptime is where the axis of uptimes begins, so that what differs can be seen to.
func leastUptime(lines []copyLine) float64 {
	least := 100.0
	for _, l := range lines {
		if l.cell.runs > 0 {
			least = min(least, float64(l.cell.passed)/float64(l.cell.runs)*100)
		}
	}
	for _, begin := range []float64{90, 50} {
		if least > begin {
			return begin
		}
	}
	return 0
}

// shares are an axis's ticks.
func shares(least float64) (ticks []tick) {
	for i := range 3 {
		v := least + (100-least)*float64(i)/2
		ticks = append(ticks, tick{X: float64(i) * stripWidth / 2, Text: percent(v), First: i == 0, Last: i == 2})
	}
	return ticks
}

// millis writes milliseconds shortly.
func millis(v float64) string {
	switch {
	case v < 1000:
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64) + " ms"
	case v < 60_000:
		return strconv.FormatFloat(math.Round(v/100)/10, 'f', -1, 64) + " s"
	default:
		return strconv.FormatFloat(math.Round(v/6000)/10, 'f', -1, 64) + " min"
	}
}

// percent writes a share, and says 100 % of nothing that is less.
func percent(v float64) string {
	if v < 100 {
		v = min(v, 99.9)
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) + " %"
}
