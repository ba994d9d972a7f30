package chaos

import (
	"strings"

	"fanout/test/fixture"
)

func (r *round) launch() *fixture.Fanout {
	f := r.w.launch(r.t)
	r.controller = append(r.controller, f)
	r.t.Cleanup(func() { f.Kill() }) // if all else fails
	return f
}

// stop ends the controller as its Deployment would, if it runs. One that has not found the hub yet says so with its exit
// code, and one that has not begun to look out for signals can't but die by them: these are killed.
func (r *round) stop() {
	switch {
	case r.fanout == nil:
	case r.fanout.Ready() != nil:
		r.fanout.Kill()
	default:
		r.fanout.Stop(r.t)
	}
	r.fanout = nil
}

// isAlive returns a failure if the controller ended by itself, raced or told a secret.
func (r *round) isAlive() *failure {
	if r.fanout == nil {
		return nil
	}
	select {
	case <-r.fanout.Ended():
		return &failure{invariant: "process", text: "fanout ended by itself"}
	default:
		return nil
	}
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
