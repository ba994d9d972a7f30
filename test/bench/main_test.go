// Package bench measures fanout, as it is released and as a process of its own, between a real hub and members: ten real API
// servers for the truth, and thousands of simulated ones for scale. What can be is set against the floor, a bare client-go program
// that makes the same requests in the same run and takes turns with fanout, so that the ratio means something on a noisy machine.
//
//	make bench                         # everything
//	make bench-quick                   # with fewer members; fails where limits_test.go says so, never for a time
//	make bench SCENARIO=status-storm   # one scenario
//	make profile SCENARIO=status-storm # and where fanout's CPU and memory go in it
//
// docs/performance.md says what each scenario is, and what came out last.
package bench

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"fanout/test/controlplane"
	"fanout/test/simulator"
)

var (
	asked   = flag.String("scenarios", "", "the scenarios to run, or all")
	quickly = flag.Bool("quick", false, "with fewer members and copies")
	profile = flag.Bool("profile", false, "write profiles of fanout in each scenario")
	output  = flag.String("output", "../../out", "the folder for bench.json and profiles")
)

var planes *controlplane.Set

// TestMain is also the simulator's and the floor's process: both are this program, started again.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(simulatorMembers) != "":
		count, err := strconv.Atoi(os.Getenv(simulatorMembers))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(simulator.Main(simulator.Options{
			Members: count, CRD: os.Getenv(simulatorCRD), Statuses: strings.Fields(os.Getenv(simulatorStatuses)),
		}))
	case os.Getenv(floorNamespace) != "":
		if err := runFloor(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	if *asked == "" {
		os.Exit(m.Run())
	}
	names := []string{"hub"}
	if needsReal(*asked) {
		for i := range size().real {
			names = append(names, agent(i))
		}
	}
	os.Exit(controlplane.ForMainWith(m, &planes, controlplane.Options{Names: names, Large: true}))
}

// scenario is one row of docs/performance.md.
type scenario struct {
	name string
	run  func(*testing.T, *world)
	real bool // it needs real members
}

// scenarios are all there are, in an order that has each find what it needs as the one before left it.
var scenarios = []scenario{
	{name: "member-memory", run: memberMemory},
	{name: "linearity", run: linearity},
	{name: "derived-memory", run: derivedMemory},
	{name: "status-storm", run: statusStorm},
	{name: "page", run: page},
	{name: "noop-restart", run: noopRestart},
	{name: "hub-writes", run: hubLoad},
	{name: "isolation", run: isolation},
	{name: "idle", run: idle},
	{name: "edit-5000", run: editOfMany},
	{name: "failover", run: failover},
	{name: "shards", run: shards},
	{name: "propagation", run: propagation, real: true},
	{name: "bulk", run: bulk, real: true},
	{name: "beside-checker", run: besideChecker, real: true},
}

func needsReal(asked string) bool {
	for _, s := range scenarios {
		if s.real && wanted(asked, s.name) {
			return true
		}
	}
	return false
}

func wanted(asked, name string) bool {
	if asked == "all" {
		return true
	}
	for word := range strings.SplitSeq(asked, ",") {
		if word == name {
			return true
		}
	}
	return false
}

// TestScenarios runs the scenarios that -scenarios asks for, and writes what came out.
func TestScenarios(t *testing.T) {
	if *asked == "" {
		t.Skip("type: make bench-quick")
	}
	for word := range strings.SplitSeq(*asked, ",") {
		known := word == "all"
		for _, s := range scenarios {
			known = known || s.name == word
		}
		if !known {
			t.Fatalf("there is no scenario %q", word)
		}
	}
	w := newWorld(t)
	defer w.figures.write(t)
	for _, s := range scenarios {
		if wanted(*asked, s.name) {
			t.Run(s.name, func(t *testing.T) {
				w.scenario = s.name
				s.run(t, w)
			})
		}
	}
}
