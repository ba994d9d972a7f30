package chaos

import (
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/test/fixture"
)

// bound is how long fanout may take to bring about what the model says, once nothing is in its way any more.
const bound = 90 * time.Second

// converge waits until every cluster is as the model says, and then checks what must not have happened on the way.
func (r *round) converge() *failure {
	deadline := time.Now().Add(bound)
	for {
		failed := r.isAlive()
		if failed == nil {
			failed = r.compare()
		}
		if failed == nil {
			return r.violations()
		}
		if time.Now().After(deadline) || failed.invariant == "strangers" || failed.invariant == "process" {
			return failed
		}
		pause(r.t, 50*time.Millisecond)
	}
}

// compare returns the first difference between the clusters and the model.
func (r *round) compare() *failure {
	for _, name := range clusterNames {
		if failed := r.compareCluster(r.w.clusters[name]); failed != nil {
			return failed
		}
	}
	if failed := r.compareSecrets(); failed != nil {
		return failed
	}
	return r.compareResults()
}

func (r *round) compareCluster(c *cluster) *failure {
	live, err := r.canaries(c)
	if err != nil {
		return &failure{invariant: "harness", cluster: c.Name, text: err.Error()}
	}
	r.mu.Lock()
	agent, wanted := r.model.owner(c.Name), r.model.wanted(c.Name)
	unknown := agent == "" && r.model.unknown[c.Name]
	var standing []stranger
	for _, s := range r.objects.standing[c.Name] {
		standing = append(standing, *s)
	}
	r.mu.Unlock()
	for _, s := range standing {
		if s.adopt {
			continue
		}
		delete(wanted, s.place)
		if found := live[s.place]; found == nil {
			return &failure{"strangers", c.Name, s.place, "a stranger's object is gone"}
		} else if string(found.GetUID()) != s.uid || !s.isLast(found) {
			return &failure{"strangers", c.Name, s.place, fmt.Sprintf("a stranger's object changed: it was %s at %s and is %s at %s", s.uid, s.last, found.GetUID(), found.GetResourceVersion())}
		}
	}
	if unknown {
		return nil
	}
	for at, found := range live {
		if _, ok := wanted[at]; !ok && found.GetLabels()[derive.LabelHub] == r.w.hubID && (agent == "" || !r.isHeld(at, found)) {
			return &failure{"copies", c.Name, at, "there is a copy that should not be there"}
		}
	}
	for at, parent := range wanted {
		if err := r.isCopy(live[at], parent, agent); err != nil {
			return &failure{"copies", c.Name, at, err.Error()}
		}
	}
	return nil
}

// canaries returns a cluster's Canaries in this round's namespaces.
func (r *round) canaries(c *cluster) (map[place]*unstructured.Unstructured, error) {
	ctx, cancel := request(r.t)
	defer cancel()
	list, err := c.Dynamic.Resource(derive.Canaries).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	live := map[place]*unstructured.Unstructured{}
	for i := range list.Items {
		if isOneOf(r.namespaces, list.Items[i].GetNamespace()) {
			live[placeOf(&list.Items[i])] = &list.Items[i]
		}
	}
	return live, nil
}

// isCopy returns an error unless found is what the design derives for agent from the parent as the hub holds it now.
func (r *round) isCopy(found *unstructured.Unstructured, at place, agent string) error {
	ctx, cancel := request(r.t)
	defer cancel()
	parent, err := r.w.hub().Canaries(at.namespace).Get(ctx, at.name, metav1.GetOptions{})
	switch {
	case err != nil:
		return err
	case found == nil:
		return fmt.Errorf("there is no copy for %s", agent)
	case isTerminating(found):
		return fmt.Errorf("the copy is still on its way out")
	case found.GetLabels()[derive.LabelHub] != r.w.hubID:
		return fmt.Errorf("it is not this hub's")
	}
	selector, _, _ := unstructured.NestedStringSlice(parent.Object, "spec", "agentSelector")
	if p := r.known(at); p == nil || !slices.Equal(selector, p.selector) {
		return fmt.Errorf("the harness lost count: the parent selects %q", selector)
	}
	r.mu.Lock()
	uid := string(found.GetUID())
	added, s := r.objects.added[uid], r.objects.strangers[uid]
	theirs := r.objects.forgotten[uid] || s != nil && s.adopt // what a stranger brought along stays
	r.mu.Unlock()
	if theirs {
		found = withoutOtherChecks(found, parent)
	}
	for _, field := range added {
		if _, still, _ := unstructured.NestedFieldNoCopy(found.Object, "spec", field); !still {
			return fmt.Errorf("it lacks spec.%s, which somebody added", field)
		}
	}
	return fixture.Derived(withoutAdditions(found, parent), parent, agent)
}

// compareSecrets returns a failure while the Secret of a member that left is still held.
func (r *round) compareSecrets() *failure {
	r.mu.Lock()
	var left []string
	for agent := range r.model.left {
		left = append(left, agent)
	}
	r.mu.Unlock()
	for _, agent := range left {
		ctx, cancel := request(r.t)
		secret, err := r.w.hub().Kube.CoreV1().Secrets(system).Get(ctx, agent, metav1.GetOptions{})
		cancel()
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return &failure{invariant: "harness", text: err.Error()}
		case secret.DeletionTimestamp != nil || slices.Contains(secret.Finalizers, clusters.Finalizer):
			return &failure{invariant: "registrations", text: "Secret " + agent + " was deregistered and is still held"}
		}
	}
	return nil
}

// violations returns the first thing that must never have happened, in the clusters or on the way to them.
func (r *round) violations() *failure {
	if seen := r.w.credentials.violations(); len(seen) > 0 {
		return seen[0]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.objects.failures) > 0 {
		return r.objects.failures[0]
	}
	for _, s := range r.objects.strangers {
		if s.uid == "" || s.adopt {
			continue
		}
		if s.vanished && !s.gone {
			return &failure{"strangers", s.cluster, s.place, "somebody else deleted a stranger's object"}
		}
		for version, content := range s.seen {
			if version > s.from && !s.isHarness(version, content) && !s.gone {
				return &failure{"strangers", s.cluster, s.place, fmt.Sprintf("somebody else wrote a stranger's object: version %d", version)}
			}
		}
	}
	return nil
}
