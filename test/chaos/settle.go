package chaos

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
)

// settle ends all that keeps fanout from coming to an end: faults, missing CRDs, finalizers, selectors and credentials that
// are wrong, and that it does not run.
func (r *round) settle() {
	r.healAll()
	r.note("settle", r.installCRDs(numbers{}))
	for _, c := range r.w.clusters {
		if err := r.release(c); err != nil {
			r.t.Fatalf("release the copies of %s: %v", c.Name, err)
		}
	}
	for _, at := range r.places {
		if p := r.known(at); p != nil && p.invalid {
			r.note("settle", r.parent(at, p.selector))
		}
	}
	for _, name := range checked { // or nobody takes its finalizer off what is deleted from now on
		r.startChecker(name)
	}
	r.mendCredentials()
	r.note("settle", "start fanout: "+r.startFanout(numbers{}))
	r.note("settle", r.resumeReplicas(numbers{}))
	r.note("settle", r.startReplicas(numbers{}))
}

// mendCredentials replaces bad credentials, those of leaving members too: no member could be cleaned with them.
func (r *round) mendCredentials() {
	r.mu.Lock()
	mend := map[string]string{} // target by agent
	for agent, s := range r.model.secrets {
		if s.bad {
			mend[agent] = s.target
			s.bad = false
		}
	}
	for agent, target := range r.model.left {
		mend[agent] = target
	}
	r.mu.Unlock()
	for agent, target := range mend {
		ctx, cancel := request(r.t)
		secrets := r.w.hub().Kube.CoreV1().Secrets(system)
		err := retry.RetryOnConflict(retry.DefaultBackoff, func() error { // with fanout, which notes something on it
			secret, err := secrets.Get(ctx, agent, metav1.GetOptions{})
			if err == nil {
				secret.Data = map[string][]byte{clusters.KubeconfigKey: r.kubeconfig(target, 0)}
				_, err = secrets.Update(ctx, secret, metav1.UpdateOptions{})
			}
			return err
		})
		cancel()
		switch {
		case apierrors.IsNotFound(err): // it needs no mending
		case err != nil:
			r.t.Fatalf("mend Secret %s: %v", agent, err)
		default:
			r.note("settle", "mended the credential of "+agent)
		}
	}
}

// clean removes all that the round made, except namespaces.
func (r *round) clean() {
	release := []byte(`{"metadata":{"finalizers":null}}`)
	ctx, cancel := request(r.t)
	defer cancel()
	for _, name := range clusterNames {
		c := r.w.clusters[name]
		if r.crdGone[name] {
			if err := c.InstallCRD(ctx, r.w.crd); err != nil {
				r.t.Fatal(err)
			}
		}
		r.poll("the round's Canaries are gone from "+name, func(ctx context.Context) (bool, error) {
			_ = r.release(c)
			left := 0
			list, err := c.Dynamic.Resource(derive.Canaries).List(ctx, metav1.ListOptions{})
			if err != nil {
				return false, nil
			}
			for _, item := range list.Items {
				if isOneOf(r.namespaces, item.GetNamespace()) {
					left++
					_ = c.Canaries(item.GetNamespace()).Delete(ctx, item.GetName(), metav1.DeleteOptions{})
				}
			}
			return left == 0, nil
		})
	}
	secrets := r.w.hub().Kube.CoreV1().Secrets(system)
	list, err := secrets.List(ctx, metav1.ListOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, secret := range list.Items {
		_, _ = secrets.Patch(ctx, secret.Name, types.MergePatchType, release, metav1.PatchOptions{})
		_ = secrets.Delete(ctx, secret.Name, metav1.DeleteOptions{})
	}
}

// isTerminating tells whether an object is on its way out.
func isTerminating(obj *unstructured.Unstructured) bool { return obj.GetDeletionTimestamp() != nil }
