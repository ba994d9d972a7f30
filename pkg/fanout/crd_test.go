package fanout

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
	clocktesting "k8s.io/utils/clock/testing"

	"fanout/pkg/fanout/fanouttest"
	"fanout/pkg/fanout/member"
)

// crdIn is the hub's Canary CRD in a condition.
func crdIn(conditions ...any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1",
		"kind":       "CustomResourceDefinition",
		"metadata":   map[string]any{"name": "canaries.canaries.flanksource.com"},
		"status":     map[string]any{"conditions": conditions},
	}}
}

func condition(kind, status string) any { return map[string]any{"type": kind, "status": status} }

// guarded is a hub with a guard that looks at it, and counts the looks.
type guarded struct {
	*crdGuard
	hub   *fake.FakeDynamicClient
	clock *clocktesting.FakePassiveClock
}

func guard(objects ...runtime.Object) *guarded {
	g := &guarded{
		hub:   fake.NewSimpleDynamicClient(runtime.NewScheme(), objects...),
		clock: clocktesting.NewFakePassiveClock(noon),
	}
	g.crdGuard = newCRDGuard(g.hub, time.Minute, g.clock)
	return g
}

func (g *guarded) answers(react func() error) {
	g.hub.PrependReactor("get", "customresourcedefinitions", func(clienttesting.Action) (bool, runtime.Object, error) {
		err := react()
		return err != nil, nil, err
	})
}

func (g *guarded) looked(t *testing.T, want int) {
	t.Helper()
	if got := len(g.hub.Actions()); got != want {
		t.Errorf("the hub was asked %d times, want %d", got, want)
	}
}

func (g *guarded) at(since time.Duration) time.Time { return noon.Add(since) }

func TestTheGuardBelievesAHubThatServesCanaries(t *testing.T) {
	established := condition("Established", "True")
	terminating := crdIn(established)
	beingDeleted(terminating)

	for _, row := range []struct {
		name string
		crd  runtime.Object
		says string
	}{
		{"established", crdIn(condition("NamesAccepted", "True"), established), ""},
		{"terminating", terminating, "is being deleted"},
		{"not established", crdIn(condition("Established", "False")), "is not established"},
		{"not established yet", crdIn(condition("NamesAccepted", "True")), "is not established"},
		{"without conditions", crdIn(), "is not established"},
		{"with nonsense for conditions", crdIn("x", nil), "is not established"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := guard(row.crd).confirm(t.Context(), noon, noon)
			switch {
			case row.says == "" && err != nil:
				t.Errorf("confirm: %v", err)
			case row.says != "" && (!errors.Is(err, member.ErrHubUnknown) || !strings.Contains(err.Error(), row.says)):
				t.Errorf("confirm: %v", err)
			}
		})
	}
}

func TestTheGuardBelievesNoHubThatDoesNotSay(t *testing.T) {
	missing := guard()
	if err := missing.confirm(t.Context(), noon, noon); !errors.Is(err, member.ErrHubUnknown) || !apierrors.IsNotFound(err) {
		t.Errorf("without a CRD confirm says %v", err)
	}
	away := guard(crdIn(condition("Established", "True")))
	away.answers(func() error { return apierrors.NewServiceUnavailable("starting") })
	if err := away.confirm(t.Context(), noon, noon); !errors.Is(err, member.ErrHubUnknown) || !apierrors.IsServiceUnavailable(err) {
		t.Errorf("while the hub is away confirm says %v", err)
	}
}

func TestTheGuardBoundsItsLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fanouttest.Server{Answer: func(call *fanouttest.Call) string { return call.Never() }}
		g := newCRDGuard(dynamic.New(server.Client(t)), 5*time.Second, clocktesting.NewFakePassiveClock(noon))
		started := time.Now()
		err := g.confirm(t.Context(), noon, noon)
		if !errors.Is(err, member.ErrHubUnknown) || !errors.Is(err, context.DeadlineExceeded) || time.Since(started) != 5*time.Second {
			t.Errorf("after %s: %v", time.Since(started), err)
		}
	})
}

func TestALookIsSharedByAllThatBeganBeforeIt(t *testing.T) {
	g := guard(crdIn(condition("Established", "True")))
	entered, release := make(chan struct{}, 1), make(chan struct{})
	g.answers(func() error {
		entered <- struct{}{}
		<-release
		return nil
	})
	g.clock.SetTime(g.at(time.Second))

	var running sync.WaitGroup
	for i := range 50 {
		running.Go(func() {
			if err := g.confirm(t.Context(), g.at(time.Duration(i)*time.Millisecond), noon); err != nil {
				t.Errorf("confirm: %v", err)
			}
		})
	}
	<-entered
	close(release)
	running.Wait()
	g.looked(t, 1)
}

func TestABadLookIsSharedTooAndTheNextOneLooksAgain(t *testing.T) {
	g := guard(crdIn(condition("Established", "True")))
	away := true
	g.answers(func() error {
		if away {
			return apierrors.NewServiceUnavailable("starting")
		}
		return nil
	})
	g.clock.SetTime(g.at(time.Second))
	for range 2 {
		if err := g.confirm(t.Context(), noon, noon); !errors.Is(err, member.ErrHubUnknown) {
			t.Errorf("confirm: %v", err)
		}
	}
	g.looked(t, 1)

	away = false
	g.clock.SetTime(g.at(3 * time.Second))
	if err := g.confirm(t.Context(), g.at(2*time.Second), noon); err != nil {
		t.Errorf("confirm once the hub is back: %v", err)
	}
	g.looked(t, 2)
}

func TestALookFromBeforeProvesNothing(t *testing.T) {
	g := guard(crdIn(condition("Established", "True")))
	g.clock.SetTime(g.at(time.Second))
	for step, since := range []time.Duration{
		0,               // the first look, at 1s
		time.Second,     // began with it: who is to say which was first
		2 * time.Second, // began after it
	} {
		if err := g.confirm(t.Context(), g.at(since), noon); err != nil {
			t.Errorf("confirm: %v", err)
		}
		g.looked(t, step+1)
	}
	g.clock.SetTime(g.at(5 * time.Second))
	for range 3 {
		if err := g.confirm(t.Context(), g.at(3*time.Second), noon); err != nil {
			t.Errorf("confirm: %v", err)
		}
	}
	g.looked(t, 4)
}

// The CRD goes while its Canaries go: what was true a moment ago must not be believed.
func TestACRDThatBeginsToGoIsSeenByTheNextLook(t *testing.T) {
	g := guard(crdIn(condition("Established", "True")))
	if err := g.confirm(t.Context(), noon, noon); err != nil {
		t.Fatal(err)
	}
	terminating := crdIn(condition("Established", "True"))
	beingDeleted(terminating)
	if err := g.hub.Tracker().Update(crds, terminating, ""); err != nil {
		t.Fatal(err)
	}
	g.clock.SetTime(g.at(2 * time.Second))
	if err := g.confirm(t.Context(), g.at(time.Second), noon); !errors.Is(err, member.ErrHubUnknown) {
		t.Errorf("confirm: %v", err)
	}
}

// A look that ended because its caller did says nothing of the hub, and is not shared.
func TestOneCallersEndDoesNotSpoilTheSharedLook(t *testing.T) {
	g := guard(crdIn(condition("Established", "True")))
	leaving, leave := context.WithCancel(t.Context())
	leave()
	// As a real client does: the caller whose context has ended gets that for an answer, and no other.
	g.client = contextual{g.client}
	g.clock.SetTime(g.at(time.Second))
	_ = g.confirm(leaving, noon, noon)
	if err := g.confirm(t.Context(), noon, noon); err != nil {
		t.Errorf("to another caller the guard says: %v", err)
	}
}

// contextual heeds its callers' contexts, which the fake does not.
type contextual struct{ dynamic.ResourceInterface }

func (c contextual) Get(ctx context.Context, name string, options metav1.GetOptions, subresources ...string) (*unstructured.Unstructured, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c.ResourceInterface.Get(ctx, name, options, subresources...)
}

// With the hub's CRD all parents went. Whoever applied them has time to apply them again after it is back.
func TestTheGuardGivesTimeAfterTheCRDWasInstalled(t *testing.T) {
	crd := crdIn(condition("Established", "True"))
	crd.SetCreationTimestamp(metav1.NewTime(noon))
	for _, row := range []struct {
		name    string
		created time.Duration // when the copy was, after the CRD was installed
		later   []time.Duration
		refused []bool
	}{
		{
			"of a parent from before", -time.Hour,
			[]time.Duration{time.Second, reinstallGrace - time.Second, reinstallGrace + time.Second}, []bool{true, true, false},
		},
		{"of a parent from just before", -time.Second, []time.Duration{time.Second, reinstallGrace + time.Second}, []bool{true, false}},
		{"of a parent from since then", 0, []time.Duration{2 * time.Second}, []bool{false}}, // times have whole seconds
		{"of a parent from before, by the hub's wrong clock", -time.Hour, []time.Duration{-time.Second, -24 * time.Hour}, []bool{true, false}},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := guard(crd)
			for i, later := range row.later {
				g.clock.SetTime(g.at(later))
				err := g.confirm(t.Context(), g.at(later), g.at(row.created))
				if (err != nil) != row.refused[i] || err != nil && !errors.Is(err, member.ErrHubUnknown) {
					t.Errorf("%s later: %v", later, err)
				}
			}
		})
	}
}

// Of copies that share a look each is judged by its own age.
func TestALookIsSharedByCopiesOfAllAges(t *testing.T) {
	crd := crdIn(condition("Established", "True"))
	crd.SetCreationTimestamp(metav1.NewTime(noon))
	g := guard(crd)
	g.clock.SetTime(g.at(2 * time.Second))
	for _, created := range []time.Duration{time.Second, -time.Hour, time.Second} {
		if err := g.confirm(t.Context(), g.at(time.Second), g.at(created)); (err != nil) != (created < 0) {
			t.Errorf("a copy of %s: %v", created, err)
		}
	}
	g.looked(t, 1)
}
