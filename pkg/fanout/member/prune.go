package member

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
)

// prune deletes exactly the version of the object that the decision was taken on. One that changed since is
// not deleted: the change comes in through the watch and is decided on afresh.
func (m *Member) prune(ctx context.Context, key types.NamespacedName, have *observed) error {
	ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
	defer cancel()
	err := m.client.Namespace(key.Namespace).Delete(ctx, key.Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &have.uid, ResourceVersion: &have.resourceVersion},
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return classify(fmt.Errorf("delete Canary %s: %w", key, unrepeated(err)))
	}
	m.view.recordDeleted(key, have)
	m.view.forget(key)
	m.metrics.wrote("deleted")
	klog.FromContext(ctx).V(2).Info("Pruned Canary", "canary", key)
	return nil
}
