package chaos

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"fanout/test/faultproxy"
	"fanout/test/fixture"
)

// Where several replicas share the members, the first of them is the one that rounds without sharing have, and what happens to
// that happens to it. The others have a way to the hub of their own each, on which they can be cut off from it alone.

// leaseLasts is how long a replica's Lease lasts in rounds, and renewedWithin how long the replica acts upon it.
const leaseLasts, renewedWithin = 3 * time.Second, 1500 * time.Millisecond

// way is how one replica comes to the hub.
type way struct {
	proxy    *faultproxy.Proxy
	identity *rest.Config
}

// newWays returns the ways of so many replicas. The first is the hub's usual one.
func (w *world) newWays(t testing.TB, replicas int) []way {
	hub := w.hub()
	ways := []way{{hub.proxy, hub.identities[0]}}
	for len(ways) < replicas {
		proxy := faultproxy.Start(t, hub.Config)
		proxy.Observe(w.credentials.watch(hubCluster))
		proxy.Observe(w.turns.watch(hubCluster))
		ways = append(ways, way{proxy, proxy.Config(hub.identities[0])})
	}
	return ways
}

// sharing are the flags of a replica that shares; none where there is only one.
func (w *world) sharing() []string {
	if len(w.ways) == 1 {
		return nil
	}
	return []string{"--shard", "--leader-elect-retry-period=300ms",
		"--leader-elect-lease-duration=" + leaseLasts.String(), "--leader-elect-renew-deadline=" + renewedWithin.String()}
}

// replicaKinds are what happens to replicas besides.
func replicaKinds() []kind {
	return []kind{
		{"kill a replica", 4, (*round).killReplica},
		{"stop a replica", 4, (*round).stopReplica},
		{"start replicas", 8, (*round).startReplicas},
		{"pause a replica", 6, (*round).pauseReplica},
		{"resume replicas", 4, (*round).resumeReplicas},
		{"cut a replica off", 12, (*round).cutReplicaOff},
	}
}

// other chooses one of the replicas besides the first.
func (r *round) other(n numbers) (number int, f *fixture.Fanout) {
	number = n[0] % len(r.others)
	return number, r.others[number]
}

func (r *round) killReplica(n numbers) string {
	number, f := r.other(n)
	if f == nil {
		return "it does not run"
	}
	f.Kill()
	r.others[number], r.paused[number] = nil, false
	return fmt.Sprintf("killed replica %d", number+2)
}

func (r *round) stopReplica(n numbers) string {
	number, f := r.other(n)
	if f == nil || r.paused[number] {
		return "it does not run"
	}
	r.end(f)
	r.others[number] = nil
	return fmt.Sprintf("stopped replica %d", number+2)
}

func (r *round) startReplicas(numbers) string {
	started := 0
	for number, f := range r.others {
		if f == nil {
			r.others[number] = r.launchOn(r.w.ways[number+1])
			started++
		}
	}
	return fmt.Sprintf("started %d replicas", started)
}

// pauseReplica has a replica stand still, often for longer than its Lease lasts.
func (r *round) pauseReplica(n numbers) string {
	number, f := r.other(n)
	if f == nil || r.paused[number] {
		return "it does not run"
	}
	f.Pause(r.t)
	r.paused[number] = true
	return fmt.Sprintf("paused replica %d", number+2)
}

func (r *round) resumeReplicas(numbers) string {
	resumed := 0
	for number, f := range r.others {
		if r.paused[number] {
			f.Resume(r.t)
			r.paused[number] = false
			resumed++
		}
	}
	return fmt.Sprintf("resumed %d replicas", resumed)
}

// cutReplicaOff takes the hub away from one replica, which the members still answer.
func (r *round) cutReplicaOff(n numbers) string {
	r.faults++
	number := n[0] % len(r.w.ways)
	p := r.w.ways[number].proxy
	length := 200*time.Millisecond + time.Duration(n[1])*8*time.Second/(1<<16)
	what, heal := "cut", p.Cut
	if n[2]%4 > 0 {
		what, heal = "blackhole", p.Blackhole
	}
	r.heals = append(r.heals, time.AfterFunc(length, heal()))
	return fmt.Sprintf("replica %d: %s between it and the hub for %s", number+1, what, length.Round(time.Millisecond))
}

// launchOn starts a controller that comes to the hub on that way.
func (r *round) launchOn(to way) *fixture.Fanout {
	f := r.w.launchOn(r.t, to)
	r.controller = append(r.controller, f)
	r.t.Cleanup(func() { f.Kill() }) // if all else fails
	return f
}

// running are all controllers that run.
func (r *round) running() []*fixture.Fanout {
	var running []*fixture.Fanout
	for _, f := range append([]*fixture.Fanout{r.fanout}, r.others...) {
		if f != nil {
			running = append(running, f)
		}
	}
	return running
}

// stopOthers ends all replicas but the first.
func (r *round) stopOthers() {
	r.resumeReplicas(numbers{})
	for number, f := range r.others {
		r.end(f)
		r.others[number] = nil
	}
}
