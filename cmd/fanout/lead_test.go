package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
	componentbase "k8s.io/component-base/config"
)

// replica is one fanout that runs for the lease, in a bubble of fake time.
type replica struct {
	health  health
	leads   atomic.Bool   // its work runs
	stops   chan struct{} // its work ends no sooner than this is closed
	stop    context.CancelFunc
	stopped chan error
}

func electionConfig() componentbase.LeaderElectionConfiguration {
	f := defaultFlags()
	f.complete()
	return f.leaderElection
}

func start(t *testing.T, hub *fake.Clientset, config componentbase.LeaderElectionConfiguration) *replica {
	ctx, stop := context.WithCancel(t.Context())
	r := &replica{stops: make(chan struct{}), stop: stop, stopped: make(chan error, 1)}
	go func() {
		r.stopped <- lead(ctx, hub, record.NewFakeRecorder(1000), config, &r.health, func(ctx context.Context) {
			r.leads.Store(true)
			<-ctx.Done()
			<-r.stops
			r.leads.Store(false)
		})
	}()
	synctest.Wait()
	return r
}

// mustHaveStopped returns what lead returned.
func (r *replica) mustHaveStopped(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.stopped:
		return err
	default:
		t.Fatal("lead has not returned")
		return nil
	}
}

func (r *replica) mustStillRun(t *testing.T) {
	t.Helper()
	select {
	case err := <-r.stopped:
		t.Fatalf("lead has returned: %v", err)
	default:
	}
}

// pass lets the bubble's time pass, and what was due in it be done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// fails makes what is done with Leases fail for as long as the flag is set.
func fails(hub *fake.Clientset, verb string) *atomic.Bool {
	flag := &atomic.Bool{}
	hub.PrependReactor(verb, "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		if flag.Load() {
			return true, nil, errors.New("not now")
		}
		return false, nil, nil
	})
	return flag
}

// holder is who has the lease, "" where nobody has.
func holder(t *testing.T, hub *fake.Clientset) string {
	t.Helper()
	if lease := leaseOf(t, hub); lease.Spec.HolderIdentity != nil {
		return *lease.Spec.HolderIdentity
	}
	return ""
}

func leaseOf(t *testing.T, hub *fake.Clientset) *coordinationv1.Lease {
	t.Helper()
	config := electionConfig()
	lease, err := hub.CoordinationV1().Leases(config.ResourceNamespace).Get(context.Background(), config.ResourceName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

func TestTheLeaseIsHeldUntilTheWorkHasStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := fake.NewClientset()
		first := start(t, hub, electionConfig())
		second := start(t, hub, electionConfig())
		pass(time.Minute)
		if !first.leads.Load() || second.leads.Load() {
			t.Fatalf("the first leads: %t, the second: %t", first.leads.Load(), second.leads.Load())
		}
		leader := holder(t, hub)

		first.stop() // and its work takes much longer than the lease lasts
		pass(5 * time.Minute)
		first.mustStillRun(t)
		if got := holder(t, hub); got != leader || second.leads.Load() {
			t.Fatalf("while the first stops, the lease is %q's, was %q's; the second leads: %t", got, leader, second.leads.Load())
		}
		if behind := time.Since(leaseOf(t, hub).Spec.RenewTime.Time); behind > 15*time.Second {
			t.Errorf("the lease was renewed %s ago", behind)
		}

		close(first.stops)
		synctest.Wait()
		if err := first.mustHaveStopped(t); err != nil {
			t.Errorf("lead: %v", err)
		}
		if got := holder(t, hub); got != "" {
			t.Errorf("the lease is still %q's", got)
		}
		pass(5 * time.Second) // and not the 15 that a lease lasts
		if !second.leads.Load() || holder(t, hub) == leader {
			t.Errorf("the second leads: %t; the lease is %q's", second.leads.Load(), holder(t, hub))
		}
		second.stop()
		close(second.stops)
		synctest.Wait()
		if err := second.mustHaveStopped(t); err != nil {
			t.Errorf("lead: %v", err)
		}
	})
}

func TestALostLeaseStopsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := fake.NewClientset()
		away := fails(hub, "*")
		r := start(t, hub, electionConfig())
		pass(time.Minute)
		away.Store(true)
		pass(5 * time.Second)
		if !r.leads.Load() {
			t.Error("a short outage stopped the work")
		}
		r.mustStillRun(t)

		pass(15 * time.Second)
		r.mustStillRun(t) // lead waits for the work, which takes its time
		close(r.stops)
		pass(time.Minute)
		if r.leads.Load() {
			t.Error("the work still runs")
		}

		away.Store(false) // and the process, which outlived that, goes on
		pass(time.Minute)
		r.mustStillRun(t)
		if !r.leads.Load() {
			t.Error("it does not lead again")
		}
		r.stop()
		synctest.Wait()
		if err := r.mustHaveStopped(t); err != nil {
			t.Errorf("lead: %v", err)
		}
	})
}

// No two lead at once, even when the one hangs and the other takes over: whoever lost the lease leaves it alone.
func TestALeaseThatWentToAnotherIsLeftToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := fake.NewClientset()
		conflict := fails(hub, "update")
		r := start(t, hub, electionConfig())
		r.stop()
		synctest.Wait() // its work is stopping
		lease := leaseOf(t, hub).DeepCopy()
		another := "another"
		lease.Spec.HolderIdentity = &another
		conflict.Store(true) // the fake would take any version
		if err := hub.Tracker().Update(coordinationv1.SchemeGroupVersion.WithResource("leases"), lease, lease.Namespace); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		close(r.stops)
		synctest.Wait()
		_ = r.mustHaveStopped(t)
		if got := holder(t, hub); got != "another" {
			t.Errorf("the lease is %q's", got)
		}
	})
}

func TestOneThatNeverLedStopsAtOnceAndTouchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := fake.NewClientset()
		first, second := start(t, hub, electionConfig()), start(t, hub, electionConfig())
		leader := holder(t, hub)
		second.stop()
		synctest.Wait()
		if err := second.mustHaveStopped(t); err != nil || second.leads.Load() {
			t.Errorf("lead: %v", err)
		}
		if got := holder(t, hub); got != leader {
			t.Errorf("the lease is %q's, was %q's", got, leader)
		}
		first.stop()
		close(first.stops)
		synctest.Wait()
		_ = first.mustHaveStopped(t)
	})
}

func TestWithoutLeaderElectionTheWorkRunsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := fake.NewClientset()
		config := electionConfig()
		config.LeaderElect = false
		r := start(t, hub, config)
		if !r.leads.Load() || len(hub.Actions()) != 0 {
			t.Errorf("it leads: %t; it asked %v", r.leads.Load(), hub.Actions())
		}
		r.stop()
		close(r.stops)
		synctest.Wait()
		if err := r.mustHaveStopped(t); err != nil {
			t.Errorf("lead: %v", err)
		}
	})
}

func TestALockThatCannotBeMadeIsAnError(t *testing.T) {
	config := electionConfig()
	config.ResourceLock = "configmaps"
	err := lead(t.Context(), fake.NewClientset(), record.NewFakeRecorder(1), config, &health{}, func(context.Context) { t.Error("the work ran") })
	if err == nil || !strings.Contains(err.Error(), "leader election") {
		t.Errorf("lead: %v", err)
	}
}
