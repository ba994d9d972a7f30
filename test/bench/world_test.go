package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/clusters"
	"fanout/test/fixture"
	"fanout/test/simulator"
)

// scale is how much of everything there is.
type scale struct {
	some, many, most int   // simulated members, of three fleets
	fleetSizes       []int // of linearity
	real             int   // members that are no simulated ones
	shared           int   // members that replicas share
	parents          int   // where each member of a fleet of many holds one of each
	fresh            int   // that are new at once, in bulk
	copies           int   // that are made in one round of linearity, whatever the fleet, as far as a few parents each allow
	rounds           int   // of what is measured several times
	changes          int   // that are waited for on an open page
	observe          time.Duration
	flat             time.Duration // how long memory is watched for whether it grows
}

var (
	fully = scale{some: 100, many: 1000, most: 5000, fleetSizes: []int{10, 100, 1000, 5000}, real: 10, shared: 2000, parents: 100, fresh: 100, copies: 5000, rounds: 100, changes: 9, observe: time.Minute, flat: 10 * time.Minute}
	quick = scale{some: 50, many: 100, most: 500, fleetSizes: []int{10, 500}, real: 5, shared: 100, parents: 100, fresh: 50, copies: 1000, rounds: 20, changes: 5, observe: 10 * time.Second, flat: 5 * time.Second}
)

// size is the one that is asked for.
func size() scale {
	if *quickly {
		return quick
	}
	return fully
}

// patience is for what takes its time with thousands of members on two cores. It is no measure of anything.
const patience = 20 * time.Minute

// world is a real hub with simulated members. Scenarios leave their members and parents to the next one, which takes them or
// makes others.
type world struct {
	scale
	whole        *testing.T // the run of all scenarios
	scenario     string
	figures      figures
	hub          *fixture.Cluster
	simulator    *simulator.Client
	simulatorPID int
	sites        []simulator.Site
	fleets       map[int]string // by their number of members, the namespaces with their Secrets

	fanout *fixture.Fanout // nil where none runs
	fleet  int             // that fanout was last run with
	held   int             // parents, all of whose copies stand in that fleet
	since  time.Time       // when it had come to rest
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{scale: size(), whole: t, hub: fixture.In(t, planes, "hub"), fleets: map[int]string{}}
	if err := w.hub.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
		t.Fatal(err)
	}
	w.hub.Namespace(t, parentsNamespace)
	return w
}

// parentsNamespace is where the parents are.
const parentsNamespace = "bench"

// ours is fanout, between hub and simulated members.
var ours = contender{namespace: parentsNamespace, selector: []string{"*"}}

// simulate starts the simulated members where they don't run yet.
func (w *world) simulate(t *testing.T) {
	t.Helper()
	if w.simulator != nil {
		return
	}
	var statuses []string
	for _, name := range []string{"http-pass.json", "two-checks.json", "flaky.json", "cron.json"} {
		statuses = append(statuses, fixture.Recorded(t, name))
	}
	pid, address, _ := startAgain(w.whole, simulatorMembers+"="+strconv.Itoa(w.most), simulatorCRD+"="+fixture.CRD(t),
		simulatorStatuses+"="+strings.Join(statuses, " "))
	w.simulatorPID, w.simulator = pid, simulator.NewClient(address)
	var err error
	if w.sites, err = w.simulator.Sites(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// register has a namespace with a Secret for each of so many members.
func (w *world) register(t *testing.T, count int) string {
	t.Helper()
	w.simulate(t)
	if namespace, ok := w.fleets[count]; ok {
		return namespace
	}
	namespace := fmt.Sprintf("fleet-%d", count)
	w.hub.Namespace(t, namespace)
	began := time.Now()
	slots, group := make(chan struct{}, 16), sync.WaitGroup{}
	for _, site := range w.sites[:count] {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			_, err := w.hub.Kube.CoreV1().Secrets(namespace).Create(t.Context(), &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Name: site.Name, Labels: map[string]string{clusters.LabelSecretType: clusters.SecretTypeCluster}},
				Data:       map[string][]byte{clusters.KubeconfigKey: site.Kubeconfig},
			}, metav1.CreateOptions{})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	t.Logf("wrote %d Secrets in %s", count, time.Since(began).Round(time.Millisecond))
	w.fleets[count] = namespace
	return namespace
}

// start runs fanout over a fleet of that size, with so many parents whose copies it holds, and returns when all is in sync.
func (w *world) start(t *testing.T, fleet, parents int, flags ...string) *fixture.Fanout {
	t.Helper()
	namespace := "nobody"
	w.simulate(t)
	if fleet > 0 {
		namespace = w.register(t, fleet)
	}
	w.stop(t)
	if w.held > 0 && (fleet != w.fleet || parents < w.held) {
		w.wipe(t)
	}
	w.launch(t, namespace, flags...)
	w.fleet = fleet
	w.watching(t, fleet)
	if parents > w.held {
		w.create(t, "held", w.held, parents)
		w.held = parents
	}
	w.since = w.synced(t, fleet*parents)
	return w.fanout
}

// launch starts fanout. It stops with the test at the latest.
func (w *world) launch(t *testing.T, namespace string, flags ...string) {
	t.Helper()
	w.hub.Namespace(t, namespace)
	f := fixture.LaunchReleased(t, w.hub.Kubeconfig, append([]string{
		"--cluster-namespace", namespace, "--leader-elect=false", "--profiling",
		"--probe-timeout=1m", // no member is to be unreachable because the machine is busy with other things
	}, flags...)...)
	w.fanout = f
	t.Cleanup(func() {
		f.Stop(t)
		if t.Failed() {
			log := f.Log()
			t.Logf("the end of fanout's log:\n%s", log[max(0, len(log)-2000):])
		}
		w.fanout = nil
	})
	fixture.EventuallyWithin(t, patience, "fanout is ready", f.Ready)
}

func (w *world) stop(t *testing.T) {
	t.Helper()
	if w.fanout != nil {
		w.fanout.Stop(t)
		w.fanout = nil
	}
}

// watching waits until fanout watches so many simulated members. They know, so that fanout need not be asked.
func (w *world) watching(t *testing.T, count int) {
	t.Helper()
	fixture.EventuallyWithin(t, patience, fmt.Sprintf("%d members are watched", count), func() error {
		return fixture.Same("watches", w.counts(t).Watches, count)
	})
}

// synced waits until the members hold so many copies, fanout watches them, and nothing is done any more. It returns when the last was.
func (w *world) synced(t *testing.T, copies int) (since time.Time) {
	t.Helper()
	fixture.EventuallyWithin(t, patience, fmt.Sprintf("%d copies are in sync", copies), func() error {
		counts := w.counts(t)
		since = counts.Busy
		if counts.Canaries != copies || counts.Watches < w.fleet || time.Since(since) < quiet {
			return fmt.Errorf("%d copies, %d watches, busy %s ago", counts.Canaries, counts.Watches, time.Since(since).Round(time.Millisecond))
		}
		return nil
	})
	return since
}

// quiet is how long nothing must have been done for all to be done.
const quiet = time.Second

// create makes parents with numbers from one up to another for every member, without waiting for their copies.
func (w *world) create(t *testing.T, name string, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		w.createOne(t, ours, fmt.Sprintf("%s-%d", name, i), map[string]string{"bench": name})
	}
}

func (w *world) createOne(t *testing.T, c contender, name string, labels map[string]string) {
	t.Helper()
	canary := fixture.Canary(c.namespace, name, c.selector...)
	canary.SetLabels(labels)
	// Simulated members stop checking in most scenarios, and no result is to become stale in one: that is a status to write.
	if err := unstructured.SetNestedField(canary.Object, "@every 6h", "spec", "schedule"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.hub.Canaries(c.namespace).Create(t.Context(), canary, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// wipe removes all parents, and all copies from the members. Fanout does not run meanwhile.
func (w *world) wipe(t *testing.T) {
	t.Helper()
	w.stop(t)
	for _, namespace := range []string{parentsNamespace, ofWatching} {
		if err := w.hub.Canaries(namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.simulator.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.held = 0
}

// counts are the simulator's.
func (w *world) counts(t *testing.T) simulator.Counts {
	t.Helper()
	counts, err := w.simulator.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// expect has the simulator wait for so many copies that hold text, and returns a function that returns when they came.
func (w *world) expect(t *testing.T, text string, count int) func() []simulator.Arrival {
	t.Helper()
	if err := w.simulator.Expect(t.Context(), text, count); err != nil {
		t.Fatal(err)
	}
	return func() []simulator.Arrival {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		arrived, err := w.simulator.Arrived(ctx, text)
		if err != nil {
			t.Fatal(err)
		}
		return arrived
	}
}
