package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/api"
	"fanout/test/fixture"
)

// Whichever replicas have the members, each parent's status tells of all of them, by one of the replicas, also while members and
// parents go from one to another: none is ever left out.
func TestResultsWhileReplicasShare(t *testing.T) {
	w := newWorld(t, agents...)
	var parents []string
	for i := range 12 { // whose statuses are not all one replica's, but for one time in 200,000
		parents = append(parents, fmt.Sprintf("check-%d", i))
		w.hub.Apply(t, w.hourly(parents[i], "*"))
	}
	all := w.startReplicas(t, 3)
	owners := w.expectShared(t, all...)
	report := func(agent string, status func() fixture.Status) {
		for _, name := range parents {
			w.expectDerived(t, agent, name)
			w.members[agent].Report(t, w.canaries, name, status())
		}
	}
	now := time.Now()
	for _, agent := range agents {
		report(agent, func() fixture.Status { return fixture.Passing(now) })
	}
	expect := func(message string, says map[string]string) {
		t.Helper()
		state, _, _ := strings.Cut(says["eu-west-prod"], " ")
		for _, name := range parents {
			w.expectShown(t, name, state, message, says)
		}
	}
	passing := map[string]string{"eu-west-prod": "Passed", "us-east-prod": "Passed", "ap-south-dev": "Passed"}
	expect("3 agents: 3 passed; 3 in sync", passing)
	writing := slices.DeleteFunc(slices.Clone(all), func(r *replica) bool {
		return r.Metric(t, "fanout_status_writes_total", "outcome", "written") == 0
	})
	if len(writing) < 2 {
		t.Errorf("%d of 3 replicas write statuses", len(writing))
	}
	for _, r := range all {
		w.expectTellsAll(t, r, parents)
	}
	missed := w.watchForMissing(t, "3 agents: ")

	t.Log("a replica stops")
	gone := owners["us-east-prod"]
	gone.Stop(t)
	left := slices.DeleteFunc(slices.Clone(all), func(r *replica) bool { return r == gone })
	w.expectShared(t, left...)
	report("eu-west-prod", func() fixture.Status { return fixture.Failing(now, "refused") })
	failing := map[string]string{"eu-west-prod": "Failed | refused", "us-east-prod": "Passed", "ap-south-dev": "Passed"}
	expect("3 agents: 2 passed, 1 failed; 3 in sync", failing)

	t.Log("one joins, and one ends without a word")
	left = append(left, w.startReplicas(t, 1)...)
	w.expectShared(t, left...)
	left[0].Kill()
	w.expectShared(t, left[1:]...)
	report("eu-west-prod", func() fixture.Status { return fixture.Passing(now) })
	expect("3 agents: 3 passed; 3 in sync", passing)
	if missing := missed(); len(missing) > 0 {
		t.Errorf("statuses did not tell of all agents: %q", missing)
	}

	t.Log("a member that leaves is in none any more")
	w.hub.Deregister(t, w.namespace, "ap-south-dev")
	expect("2 agents: 2 passed; 2 in sync", map[string]string{"eu-west-prod": "Passed", "us-east-prod": "Passed"})
}

// expectTellsAll waits until a replica tells of all agents and of these parents, whichever replicas have them, by its API and on its page.
func (w *world) expectTellsAll(t *testing.T, r *replica, parents []string) {
	t.Helper()
	fixture.Eventually(t, r.name+" tells of all", func() error {
		registered, err := r.API(t).Agents(t.Context())
		if err != nil {
			return err
		}
		var names []string
		for _, agent := range registered.Items {
			names = append(names, fmt.Sprint(agent.Name, " ", agent.State, " ", agent.InSync))
		}
		if err := fixture.Same("agents", names, []string{"ap-south-dev Connected 12", "eu-west-prod Connected 12", "local Connected 0", "us-east-prod Connected 12"}); err != nil {
			return err
		}
		canaries, err := r.API(t).Canaries(t.Context(), w.canaries)
		if err != nil {
			return err
		}
		for _, teller := range []api.Teller{registered.Teller, canaries.Teller} {
			if len(teller.Silent) > 0 || teller.Replica != "" {
				return fmt.Errorf("not all answered it: %+v", teller)
			}
		}
		return fixture.Same("how many Canaries", len(canaries.Items), len(parents))
	})
	var rows []string
	for _, name := range parents {
		rows = append(rows, w.canaries+"/</i>"+name)
		one, err := r.API(t).Canary(t.Context(), w.canaries, name)
		if err != nil || len(one.Canary.Copies) != len(agents) {
			t.Errorf("%s tells of %s: %v, %d copies", r.name, name, err, len(one.Canary.Copies))
		}
	}
	expectPage(t, r.APIAddress(t), append(rows, agents...)...)
	for _, agent := range agents {
		found, err := r.API(t).Find(t.Context(), agent, w.canaries, parents[0])
		if err != nil || !found.Found.Exists {
			t.Errorf("%s finds in %s: %v, %+v", r.name, agent, err, found)
		}
	}
}

// watchForMissing follows this test's parents, and returns a function that ends that and returns the messages that did not begin so.
func (w *world) watchForMissing(t *testing.T, begin string) func() []string {
	t.Helper()
	events, err := w.hub.Canaries(w.canaries).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan []string)
	go func() {
		var missing []string
		for event := range events.ResultChan() {
			canary, ok := event.Object.(*unstructured.Unstructured)
			if !ok {
				continue
			}
			message, _, _ := unstructured.NestedString(canary.Object, "status", "message")
			if !strings.HasPrefix(message, begin) {
				missing = append(missing, canary.GetName()+": "+message)
			}
		}
		done <- missing
	}()
	return func() []string {
		events.Stop()
		return <-done
	}
}
