package page

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fanout/pkg/api"
)

func lineOf(agent string, millis, passed, runs uint32, state string) copyLine {
	c := api.Copy{Agent: agent, State: state, LatencyMillis: &millis, Passed: &passed, Runs: &runs}
	return copyLine{Copy: c, Look: lookOf(state), cell: cellOf(&c), agent: &api.Agent{Name: agent, Labels: map[string]string{"region": strings.Split(agent, "-")[0]}}}
}

// Whatever the values, all that is drawn lies within the drawing.
func TestChartStaysInItsFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lines []copyLine
		for i := range rapid.IntRange(0, 400).Draw(t, "agents") {
			runs := rapid.Uint32Range(0, 200).Draw(t, "runs")
			lines = append(lines, lineOf(fmt.Sprintf("r%d-%d", i%3, i), rapid.Uint32().Draw(t, "millis"), rapid.Uint32Range(0, runs).Draw(t, "passed"), runs,
				rapid.SampledFrom([]string{"Passed", "Failed", "Unreachable"}).Draw(t, "state")))
		}
		c := chartOf(lines, rapid.SampledFrom([]string{"", "region", "name-", "other"}).Draw(t, "by"))
		drawn := 0
		for _, line := range c.Lines {
			drawn += line.Agents
			for _, s := range []strip{line.Latency, line.Uptime} {
				for _, d := range s.Dots {
					if d.X < 0 || d.X > stripWidth || d.Y < 0 || d.Y > stripHeight {
						t.Fatalf("a dot at %v, %v", d.X, d.Y)
					}
				}
				for _, b := range s.Columns {
					if b.X < 0 || b.X+b.Width > stripWidth+binWidth || b.Y < 0 || b.Y+b.Height > stripHeight+0.2 || b.Height < 0 {
						t.Fatalf("a column %+v", b)
					}
				}
				if s.Low > s.Middle || s.Middle > s.High {
					t.Fatalf("%+v", s)
				}
			}
		}
		if drawn+c.Silent != len(lines) && c.More == 0 {
			t.Fatalf("of %d agents %d are drawn, and %d are silent", len(lines), drawn, c.Silent)
		}
	})
}

func TestChartOfFewAndOfMany(t *testing.T) {
	few := []copyLine{lineOf("eu-1", 20, 10, 10, "Passed"), lineOf("us-1", 200, 5, 10, "Failed"), lineOf("us-2", 20, 10, 10, "Unreachable")}
	c := chartOf(few, "region")
	if !c.Each || len(c.Lines) != 2 || c.Silent != 1 || c.Lines[1].Whole != "50 %" || c.Lines[1].Median != "200 ms" || !c.Lines[1].Latency.Dots[0].Bad {
		t.Errorf("%+v", c)
	}
	var many []copyLine
	for i := range 300 {
		many = append(many, lineOf(fmt.Sprintf("eu-%d", i), 20+uint32(i%10), 100, 100, "Passed"))
	}
	many = append(many, lineOf("eu-slow", 900, 60, 100, "Failed"))
	c = chartOf(many, "region")
	if c.Each || len(c.Lines) != 1 || c.Lines[0].Agents != 301 {
		t.Fatalf("%+v", c)
	}
	line := c.Lines[0]
	if len(line.Slowest) != 1 || line.Slowest[0].Name != "eu-slow" || line.Slowest[0].Text != "900 ms" || len(line.Lowest) != 1 || line.Lowest[0].Text != "60 %" {
		t.Errorf("who stands out: %+v, %+v", line.Slowest, line.Lowest)
	}
	if len(line.Latency.Dots) > 0 || len(line.Latency.Columns) == 0 {
		t.Errorf("300 agents are drawn as %d dots", len(line.Latency.Dots))
	}
}

func TestPercentSaysNoHundredOfLess(t *testing.T) {
	for v, want := range map[float64]string{100: "100 %", 99.99: "99.9 %", 50: "50 %", 0: "0 %", 33.333: "33.3 %"} {
		if got := percent(v); got != want {
			t.Errorf("%v: %s", v, got)
		}
	}
}
