package chaos

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"

	"fanout/pkg/fanout/derive"
	"fanout/test/controlplane"
)

func (r *round) removeMemberCRD(n numbers) string {
	name := members[n[0]%len(members)]
	return name + ": " + r.removeCRD(name)
}

func (r *round) removeHubCRD(numbers) string {
	if said := r.removeCRD(hubCluster); said != "removed" {
		return said
	}
	r.hubGone = true
	return "removed from the hub"
}

// removeCRD deletes a cluster's Canary CRD, and waits until it is gone with all Canaries.
func (r *round) removeCRD(name string) string {
	if r.crdGone[name] {
		return "is gone already"
	}
	c := r.w.clusters[name]
	c.writing.Lock()
	defer c.writing.Unlock()
	done := r.wipe(name)
	r.crdGone[name] = true
	ctx, cancel := request(r.t)
	defer cancel()
	crd := derive.Canaries.GroupResource().String()
	if err := c.Dynamic.Resource(controlplane.Definitions).Delete(ctx, crd, metav1.DeleteOptions{}); err != nil {
		r.t.Fatalf("delete the CRD of %s: %v", name, err)
	}
	r.poll("the CRD is gone from "+name, func(ctx context.Context) (bool, error) {
		_ = r.release(c)
		_, err := c.Definition(ctx, crd)
		return apierrors.IsNotFound(err), nil
	})
	list, err := c.Kube.CoreV1().Namespaces().List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		r.t.Fatal(err)
	}
	done(list.ResourceVersion)
	return "removed"
}

func (r *round) installCRDs(numbers) string {
	installed := ""
	for _, name := range clusterNames {
		if !r.crdGone[name] {
			continue
		}
		if name == hubCluster {
			r.orphan()
		}
		if err := r.w.clusters[name].InstallCRD(r.t.Context(), r.w.crd); err != nil {
			r.t.Fatal(err)
		}
		if name == hubCluster {
			r.hubAnew = time.Now()
		}
		r.crdGone[name] = false
		installed += " " + name
	}
	r.hubGone = false
	return "installed in:" + installed
}

// orphan notes that all parents are gone with the hub's CRD, of which another is about to be installed.
func (r *round) orphan() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now().Truncate(time.Second) // as API servers do
	for at, p := range r.model.parents {
		r.lineages[p.uid].orphaned = now
		delete(r.model.parents, at)
	}
}

// isHeld tells whether a copy may stay though no parent asks for it: until 5 minutes after the hub's CRD was installed again,
// which is longer than a round goes on, those from before wait for their parents.
func (r *round) isHeld(at place, found *unstructured.Unstructured) bool {
	return r.known(at) == nil && !found.GetCreationTimestamp().After(r.hubAnew)
}

func (r *round) deleteMemberNamespace(n numbers) string {
	return r.deleteNamespace(members[n[0]%len(members)], r.namespaces[n[1]%len(r.namespaces)])
}

func (r *round) deleteHubNamespace(n numbers) string {
	if r.hubGone {
		return "the hub has no CRD"
	}
	namespace := r.namespaces[n[1]%len(r.namespaces)]
	r.mu.Lock()
	for at, p := range r.model.parents {
		if at.namespace == namespace {
			r.lineages[p.uid].gone = true
			delete(r.model.parents, at)
		}
	}
	r.mu.Unlock()
	return r.deleteNamespace(hubCluster, namespace)
}

// deleteNamespace does what a namespace controller does: it empties the terminating namespace and lets it go.
func (r *round) deleteNamespace(name, namespace string) string {
	c := r.w.clusters[name]
	if r.crdGone[name] {
		return name + " has no CRD"
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	ctx, cancel := request(r.t)
	defer cancel()
	spaces := c.Kube.CoreV1().Namespaces()
	if err := spaces.Delete(ctx, namespace, metav1.DeleteOptions{}); err != nil {
		return fmt.Sprintf("%s in %s: %v", namespace, name, err)
	}
	r.poll("namespace "+namespace+" is empty in "+name, func(ctx context.Context) (bool, error) { return r.empty(ctx, c, namespace) })
	live, err := spaces.Get(ctx, namespace, metav1.GetOptions{})
	if err == nil {
		live.Spec.Finalizers = nil
		_, err = spaces.Finalize(ctx, live, metav1.UpdateOptions{})
	}
	if err != nil {
		r.t.Fatalf("finalize namespace %s in %s: %v", namespace, name, err)
	}
	return namespace + " in " + name
}

// empty deletes all Canaries of a namespace, and tells whether none is left.
func (r *round) empty(ctx context.Context, c *cluster, namespace string) (bool, error) {
	_ = r.release(c)
	list, err := c.Canaries(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, err
	}
	for i := range list.Items {
		item := &list.Items[i]
		r.mu.Lock()
		if s := r.objects.standing[c.Name][placeOf(item)]; s != nil {
			s.gone = true
			delete(r.objects.standing[c.Name], s.place)
		}
		r.objects.ours[string(item.GetUID())] = true
		r.mu.Unlock()
		_ = c.Canaries(namespace).Delete(ctx, item.GetName(), metav1.DeleteOptions{})
	}
	return len(list.Items) == 0, nil
}

// poll waits for something that the harness itself brings about.
func (r *round) poll(what string, holds func(context.Context) (bool, error)) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	if err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, holds); err != nil {
		r.t.Fatalf("wait until %s: %v", what, err)
	}
}
