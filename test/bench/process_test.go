package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Where these are set, this program is a simulator.
const (
	simulatorMembers  = "FANOUT_BENCH_SIMULATOR_MEMBERS"
	simulatorCRD      = "FANOUT_BENCH_SIMULATOR_CRD"
	simulatorStatuses = "FANOUT_BENCH_SIMULATOR_STATUSES"
)

// startAgain starts this program again as something else, which the environment says, and returns its process ID, what it says
// when it is ready, and how to end it. It ends with the test at the latest.
func startAgain(t *testing.T, environment ...string) (pid int, ready string, stop func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self)
	command.Env = append(os.Environ(), environment...)
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe() // it ends when this is closed, if only by our own end
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = stdin.Close()
		_ = command.Wait()
	})
	t.Cleanup(stop)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	ready, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		t.Fatalf("it says %q when it should be ready: %v", line, err)
	}
	return command.Process.Pid, ready, stop
}

// cpuOf is the CPU time that a process has used.
func cpuOf(t *testing.T, pid int) time.Duration {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(data), ") ") // the name may hold blanks
	fields := strings.Fields(after)
	var ticks int
	for _, field := range fields[11:13] { // utime and stime
		count, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += count
	}
	return time.Duration(ticks) * (time.Second / 100) // USER_HZ, which is 100 wherever Go runs on Linux
}

// memoryOf is what a process has in memory, and the most that it ever had, in bytes.
func memoryOf(t *testing.T, pid int) (now, most float64) {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(line, ":")
		kilobytes, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		switch name {
		case "VmRSS":
			now = kilobytes * 1024
		case "VmHWM":
			most = kilobytes * 1024
		}
	}
	return now, most
}
