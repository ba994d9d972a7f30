package member

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
)

// prune deletes exactly the version of the object that the decision was taken on, or one that differs from it in nothing but
// the status, which canary-checker may write faster than the watch brings it. Any other that changed since is not deleted: the
// change comes in through the watch and is decided on afresh.
func (m *Member) prune(ctx context.Context, key types.NamespacedName, have *observed) error {
	for races := 0; ; races++ {
		err := m.delete(ctx, key, have)
		switch {
		case err == nil, apierrors.IsNotFound(err):
			return nil
		case !apierrors.IsConflict(err), races == maxRaces:
			return classify(err)
		}
		live, gone := m.read(ctx, key)
		if apierrors.IsNotFound(gone) {
			return nil
		}
		if gone != nil {
			return classify(gone)
		}
		now := observe(live)
		if now.uid != have.uid || now.terminating || now.content != have.content {
			return classify(err)
		}
		have = now
	}
}

func (m *Member) delete(ctx context.Context, key types.NamespacedName, have *observed) error {
	ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
	defer cancel()
	err := m.client.Namespace(key.Namespace).Delete(ctx, key.Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &have.uid, ResourceVersion: &have.resourceVersion},
	})
	if err != nil {
		return fmt.Errorf("delete Canary %s: %w", key, unrepeated(err))
	}
	m.view.recordDeleted(key, have)
	m.view.forget(key)
	m.metrics.wrote("deleted")
	klog.FromContext(ctx).V(2).Info("Pruned Canary", "canary", key)
	return nil
}
