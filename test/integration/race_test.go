package integration

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/fanout/derive"
	"fanout/test/faultproxy"
	"fanout/test/fixture"
)

// lanes is how many races run side by side.
const lanes = 6

// Strangers and fanout race for the same names, hundreds of times, and each wins often; whoever is first keeps the name, and fanout
// never touches what a stranger created. The strangers wait for fanout's request to be on its way, when it has looked for the last
// time: so five of six races are met by the API server at the same time.
func TestCreationRace(t *testing.T) {
	const rounds = 300
	w := newWorld(t)
	proxy := w.registerBehindProxy(t, "eu-west-prod")
	controller := w.startFanout(t)
	member := w.members["eu-west-prod"]
	member.Namespace(t, w.canaries)
	w.hub.Namespace(t, w.canaries)

	var won strangers
	headStart := newHeadStart()
	inLanes(rounds, func(i int) {
		name := fmt.Sprintf("race-%d", i)
		onItsWay := make(chan struct{})
		proxy.BeforeNext(faultproxy.Match{Verb: "patch", Resource: "canaries", Name: name}, func() { close(onItsWay) })
		raced := make(chan error, 1)
		go func() {
			_, err := w.hub.Canaries(w.canaries).Create(t.Context(), w.canary(name, "*"), metav1.CreateOptions{})
			raced <- err
		}()
		select {
		case <-onItsWay:
		case <-time.After(time.Minute):
			t.Errorf("fanout has not written %s", name)
			return
		}
		headStart.give()
		created, err := member.Canaries(w.canaries).Create(t.Context(), fixture.Canary(w.canaries, name), metav1.CreateOptions{})
		headStart.adjust(err == nil)
		if err == nil {
			won.add(created)
		} else if !apierrors.IsAlreadyExists(err) {
			t.Error(err)
		}
		if err := <-raced; err != nil {
			t.Error(err)
		}
	})
	t.Logf("the stranger won %d of %d races; in the end fanout had a start of %s", won.len(), rounds, headStart.now())
	if won.len() < rounds/10 || won.len() > rounds-rounds/10 {
		t.Errorf("one side won more than nine races of ten, which shows little")
	}
	expectHeld(t, controller, rounds-won.len())
	w.expectComplete(t, "eu-west-prod", &won, rounds-won.len())
	won.expectUntouched(t, member)

	t.Log("and so it is when the parents go")
	if err := w.hub.Canaries(w.canaries).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	expectHeld(t, controller, 0)
	w.expectCount(t, "eu-west-prod", won.len())
	won.expectUntouched(t, member)
}

// A copy turns into a stranger's in the very moment in which fanout edits or prunes it: it is deleted and created
// anew, or only stripped of the hub's label, or given another hub's.
func TestTakeoverRace(t *testing.T) {
	const rounds = 240
	w := newWorld(t, "eu-west-prod")
	controller := w.startFanout(t)
	member := w.members["eu-west-prod"]
	name := func(i int) string { return fmt.Sprintf("race-%d", i) }
	w.hub.Namespace(t, w.canaries)
	inLanes(rounds, func(i int) {
		if _, err := w.hub.Canaries(w.canaries).Create(t.Context(), w.canary(name(i), "*"), metav1.CreateOptions{}); err != nil {
			t.Error(err)
		}
	})
	expectHeld(t, controller, rounds)

	// Each returns what the stranger made of a copy, and the copy as it was found.
	takeovers := []func(name string) (taken, found *unstructured.Unstructured, err error){
		func(name string) (taken, found *unstructured.Unstructured, err error) {
			if found, err = member.Canaries(w.canaries).Get(t.Context(), name, metav1.GetOptions{}); err != nil {
				return nil, nil, err
			}
			if err = member.Canaries(w.canaries).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
				return nil, nil, err
			}
			taken, err = member.Canaries(w.canaries).Create(t.Context(), fixture.Canary(w.canaries, name), metav1.CreateOptions{})
			return taken, found, err
		},
		func(name string) (taken, found *unstructured.Unstructured, err error) {
			taken, err = w.relabel(t, member, name, `null`)
			return taken, taken, err
		},
		func(name string) (taken, found *unstructured.Unstructured, err error) {
			taken, err = w.relabel(t, member, name, `"another-hub"`)
			return taken, taken, err
		},
	}
	var won strangers
	var wins, faced [2][3]atomic.Int64 // by what fanout does and how it is taken over
	var starts [2][3]*headStart
	for what := range starts {
		for how := range starts[what] {
			starts[what][how] = newHeadStart()
		}
	}
	inLanes(rounds, func(i int) {
		what, how := i%2, i/2%3
		raced := make(chan error, 1)
		go func() {
			var err error
			if what == 0 {
				_, err = w.hub.Canaries(w.canaries).Patch(t.Context(), name(i), types.MergePatchType, []byte(`{"spec":{"schedule":"@every 1m"}}`), metav1.PatchOptions{})
			} else {
				err = w.hub.Canaries(w.canaries).Delete(t.Context(), name(i), metav1.DeleteOptions{})
			}
			raced <- err
		}()
		starts[what][how].give()
		taken, found, err := takeovers[how](name(i))
		// An edit does not end the race: it is the stranger's too early if fanout has not come to write yet.
		edited := what == 0 && err == nil && found.Object["spec"].(map[string]any)["schedule"] == "@every 1m"
		starts[what][how].adjust(err == nil && !edited)
		faced[what][how].Add(1)
		switch {
		case err == nil:
			wins[what][how].Add(1)
			won.add(taken)
		case !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err):
			t.Error(err)
		}
		if err := <-raced; err != nil {
			t.Error(err)
		}
	})
	for what, by := range []string{"edited", "pruned"} {
		for how, taken := range []string{"created anew", "unlabelled", "relabelled"} {
			t.Logf("%s by fanout, %s by the stranger: it got %d of %d", by, taken, wins[what][how].Load(), faced[what][how].Load())
		}
	}
	if won.len() < rounds/10 || won.len() > rounds-rounds/10 {
		t.Errorf("the stranger got %d of %d, which shows little", won.len(), rounds)
	}
	fixture.Eventually(t, "all that is fanout's is as the hub asks", func() error {
		for i := 0; i < rounds; i += 2 {
			copied := member.Get(t, w.canaries, name(i))
			if copied != nil && won.has(copied.GetName()) {
				continue
			}
			if err := fixture.Derived(copied, w.hub.Get(t, w.canaries, name(i)), "eu-west-prod"); err != nil {
				return fmt.Errorf("%s: %w", name(i), err)
			}
		}
		return nil
	})
	won.expectUntouched(t, member)
	w.hub.Apply(t, w.canary("last", "*"))
	w.expectDerived(t, "eu-west-prod", "last")
	won.expectUntouched(t, member)
}

// relabel gives a copy another hub's label, or none, and a spec of its own.
func (w *world) relabel(t *testing.T, member *fixture.Cluster, name, hub string) (*unstructured.Unstructured, error) {
	patch := fmt.Sprintf(`{"metadata":{"labels":{%q:%s}}}`, derive.LabelHub, hub)
	return member.Canaries(w.canaries).Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "stranger"})
}

// expectComplete waits until want copies, all that agent's cluster holds besides the strangers', are what the hub derives.
func (w *world) expectComplete(t *testing.T, agent string, except *strangers, want int) {
	t.Helper()
	parents := map[string]*unstructured.Unstructured{}
	for _, parent := range w.hub.List(t) {
		parents[parent.GetName()] = &parent
	}
	fixture.Eventually(t, fmt.Sprintf("%d copies in %s are complete", want, agent), func() error {
		complete := 0
		for _, copied := range w.members[agent].List(t) {
			if except.has(copied.GetName()) {
				continue
			}
			if err := fixture.Derived(&copied, parents[copied.GetName()], agent); err != nil {
				return fmt.Errorf("%s: %w", copied.GetName(), err)
			}
			complete++
		}
		return fixture.Same("their number", complete, want)
	})
}

// expectHeld waits until fanout knows of so many copies in all members: to list thousands from an API server over and over
// would slow down what is waited for. As long as their number changes it is waited for.
func expectHeld(t *testing.T, controller *fixture.Fanout, want int) {
	t.Helper()
	for last := -1; last != want; {
		fixture.Eventually(t, fmt.Sprintf("fanout holds %d copies, or another number than %d", want, last), func() error {
			held := int(controller.Metric(t, "fanout_derived_canaries"))
			if held == last && held != want {
				return fmt.Errorf("it holds %d", held)
			}
			last = held
			return nil
		})
	}
}

// inLanes does something rounds times, several at a time, and returns when all is done.
func inLanes(rounds int, do func(i int)) {
	var group sync.WaitGroup
	var next atomic.Int64
	for range lanes {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < rounds; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	group.Wait()
}

// headStart is the time that fanout has before its rival begins. It grows when the rival wins and shrinks when it
// loses, and the faster the more often in a row, so that the two meet, on a fast machine and on one that is busy.
type headStart struct {
	mu       sync.Mutex
	time     time.Duration
	rivalWon bool // last
	inARow   int
}

func newHeadStart() *headStart { return &headStart{time: 20 * time.Millisecond} }

func (h *headStart) now() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.time
}

func (h *headStart) give() { <-time.After(h.now()) }

func (h *headStart) adjust(rivalWon bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if rivalWon != h.rivalWon {
		h.rivalWon, h.inARow = rivalWon, 0
	}
	h.inARow++
	step := h.time / 16 * time.Duration(min(1+h.inARow/lanes, 8)) // each lane learns of the others' last races
	if rivalWon {
		h.time += step
	} else {
		h.time = max(h.time-step, 100*time.Microsecond)
	}
}

// strangers are objects that are not fanout's, as their owners left them.
type strangers struct {
	mu   sync.Mutex
	left map[string]*unstructured.Unstructured
}

func (s *strangers) add(canary *unstructured.Unstructured) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == nil {
		s.left = map[string]*unstructured.Unstructured{}
	}
	s.left[canary.GetName()] = canary
}

func (s *strangers) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left[name] != nil
}

func (s *strangers) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.left)
}

// expectUntouched compares UIDs and versions with what stands in cluster now.
func (s *strangers) expectUntouched(t *testing.T, cluster *fixture.Cluster) {
	t.Helper()
	now := map[string]unstructured.Unstructured{}
	for _, canary := range cluster.List(t) {
		now[canary.GetName()] = canary
	}
	for name, before := range s.left {
		after, there := now[name]
		switch {
		case !there:
			t.Errorf("%s is gone", name)
		case after.GetUID() != before.GetUID() || after.GetResourceVersion() != before.GetResourceVersion():
			t.Errorf("%s is not as its owner left it: %v", name, after)
		}
	}
}
