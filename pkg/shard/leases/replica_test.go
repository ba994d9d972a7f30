package leases_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"

	"fanout/pkg/shard"
	"fanout/pkg/shard/leases"
)

const namespace, name = "fanout-system", "fanout"

// hub is a fake one whose Leases have versions, as an API server's do, and which can be away.
type hub struct {
	*fake.Clientset
	mu       sync.Mutex
	versions int
	away     bool
}

func newHub() *hub {
	h := &hub{Clientset: fake.NewClientset()}
	h.PrependReactor("*", "leases", func(action clienttesting.Action) (bool, runtime.Object, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.away {
			return true, nil, errors.New("the hub is away")
		}
		var written *coordinationv1.Lease
		switch action := action.(type) {
		case clienttesting.UpdateAction: // a CreateAction as well
			written = action.GetObject().(*coordinationv1.Lease)
		default:
			return false, nil, nil
		}
		if action.GetVerb() == "update" {
			found, err := h.Tracker().Get(action.GetResource(), namespace, written.Name)
			if err != nil {
				return true, nil, err
			}
			if found.(*coordinationv1.Lease).ResourceVersion != written.ResourceVersion {
				return true, nil, apierrors.NewConflict(action.GetResource().GroupResource(), written.Name, errors.New("changed"))
			}
		}
		h.versions++
		written.ResourceVersion = fmt.Sprint(h.versions)
		return false, nil, nil
	})
	return h
}

func (h *hub) goAway(away bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.away = away
}

func (h *hub) lease(t *testing.T, of *leases.Replica) *coordinationv1.Lease {
	t.Helper()
	found, err := h.Tracker().Get(coordinationv1.SchemeGroupVersion.WithResource("leases"), namespace, of.Name())
	if err != nil {
		t.Fatal(err)
	}
	return found.(*coordinationv1.Lease)
}

var options = leases.Options{
	Namespace: namespace, Name: name, RetryPeriod: 2 * time.Second, Clock: clock.RealClock{},
	Timing: shard.Timing{Lease: 15 * time.Second, Renew: 10 * time.Second},
}

// running is a replica at work.
type running struct {
	*leases.Replica
	stop    context.CancelFunc
	stopped chan struct{}
}

func start(t *testing.T, h *hub, suffix string) *running {
	o := options
	o.Suffix, o.Identity, o.Metrics = suffix, "pod-"+suffix, leases.NewMetrics(prometheus.NewRegistry())
	ctx, stop := context.WithCancel(t.Context())
	r := &running{leases.New(h, o), stop, make(chan struct{})}
	go func() {
		defer close(r.stopped)
		r.Run(ctx)
	}()
	return r
}

// held counts the keys that a replica has.
func (r *running) held() int {
	held := 0
	for i := range 100 {
		if r.Share().Mine(fmt.Sprintf("member-%d", i)) {
			held++
		}
	}
	return held
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestAReplicaThatIsAloneHasEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		r := start(t, h, "a")
		pass(time.Minute)
		if r.held() != 100 {
			t.Errorf("it has %d of 100 keys", r.held())
		}
		if behind := time.Since(h.lease(t, r.Replica).Spec.RenewTime.Time); behind > options.RetryPeriod {
			t.Errorf("its Lease was renewed %s ago", behind)
		}
		r.stop()
		<-r.stopped
	})
}

func TestWhatOneLeavesTheOtherTakesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		a, b := start(t, h, "a"), start(t, h, "b")
		pass(10 * time.Second)
		if a.held() == 0 || b.held() == 0 || a.held()+b.held() != 100 {
			t.Fatalf("they have %d and %d of 100 keys", a.held(), b.held())
		}
		a.stop()
		<-a.stopped
		pass(0) // by the watch alone
		if holder := *h.lease(t, a.Replica).Spec.HolderIdentity; holder != "" || b.held() != 100 {
			t.Errorf("the Lease is %q's; the other has %d keys", holder, b.held())
		}
		pass(2 * time.Minute)
		if left, err := h.CoordinationV1().Leases(namespace).List(t.Context(), metav1.ListOptions{}); err != nil || len(left.Items) != 1 {
			t.Errorf("%v: %d Leases are left", err, len(left.Items))
		}
		b.stop()
		<-b.stopped
	})
}

// What is under way is ended before the Lease can have run out, and begins again when the hub is back.
func TestAReplicaThatCannotRenewLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		r := start(t, h, "a")
		pass(5 * time.Second)
		working, end, ok := r.Share().Begin(t.Context(), "member")
		if !ok {
			t.Fatal("it has nothing")
		}
		h.goAway(true)
		pass(7 * time.Second)
		if working.Err() != nil {
			t.Error("a short outage ends the work")
		}
		pass(4 * time.Second)
		if !errors.Is(context.Cause(working), shard.ErrLost) || r.held() != 0 {
			t.Error("it goes on")
		}
		end()
		h.goAway(false)
		pass(5 * time.Second)
		if r.held() != 100 {
			t.Errorf("it has %d of 100 keys again", r.held())
		}
		r.stop()
		<-r.stopped
	})
}

// Who comes after a Lease was deleted knows nothing of its replica, which therefore begins like a new one.
func TestAReplicaWhoseLeaseIsDeletedBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		r := start(t, h, "a")
		pass(5 * time.Second)
		working, end, ok := r.Share().Begin(t.Context(), "member")
		if !ok {
			t.Fatal("it has nothing")
		}
		if err := h.CoordinationV1().Leases(namespace).Delete(t.Context(), r.Name(), metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		pass(options.RetryPeriod)
		if working.Err() == nil {
			t.Error("it goes on")
		}
		end()
		pass(time.Second)
		if h.lease(t, r.Replica); r.held() != 100 {
			t.Errorf("it has %d of 100 keys again", r.held())
		}
		r.stop()
		<-r.stopped
	})
}

func TestALeaderWaitsForReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		r := start(t, h, "a")
		pass(5 * time.Second)
		waited := make(chan error, 1)
		go func() { waited <- leases.AwaitNone(t.Context(), h, options) }()
		pass(time.Minute)
		select {
		case err := <-waited:
			t.Fatalf("it does not wait: %v", err)
		default:
		}
		r.stop()
		<-r.stopped
		pass(2 * time.Second)
		select {
		case err := <-waited:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("it still waits")
		}
	})
}
