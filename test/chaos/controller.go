package chaos

import (
	"strings"

	"fanout/test/fixture"
)

func (r *round) launch() *fixture.Fanout { return r.launchOn(r.w.ways[0]) }

func (r *round) stop() {
	r.end(r.fanout)
	r.fanout = nil
}

// end ends a controller as its Deployment would, if it runs. One that has not found the hub yet says so with its exit
// code, and one that has not begun to look out for signals can't but die by them: these are killed.
func (r *round) end(f *fixture.Fanout) {
	switch {
	case f == nil:
	case f.Ready() != nil:
		f.Kill()
	default:
		f.Stop(r.t)
	}
}

// isAlive returns a failure if a controller ended by itself.
func (r *round) isAlive() *failure {
	for _, f := range r.running() {
		select {
		case <-f.Ended():
			return &failure{invariant: "process", text: "fanout ended by itself"}
		default:
		}
	}
	return nil
}

func (r *round) killFanout(numbers) string {
	if r.fanout == nil {
		return "it does not run"
	}
	r.fanout.Kill()
	r.fanout = nil
	return "done"
}

func (r *round) stopFanout(numbers) string {
	if r.fanout == nil {
		return "it does not run"
	}
	r.stop()
	return "done"
}

func (r *round) startFanout(numbers) string {
	if r.fanout != nil {
		return "it runs"
	}
	r.fanout = r.launch()
	return "done"
}

// checkLogs returns a failure if a controller raced or told a secret.
func (r *round) checkLogs() *failure {
	for _, c := range r.controller {
		log := c.Log()
		switch {
		case strings.Contains(log, "DATA RACE"):
			return &failure{invariant: "process", text: "fanout has a data race"}
		case r.w.credentials.isIn(log):
			return &failure{invariant: "secrecy", text: "a token is in fanout's log"}
		}
	}
	return nil
}
