// Package lease reads the Lease by which a controller that runs is known.
package lease

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// LabelReplicaOf is on the Leases of replicas that share the work, instead of electing one of them as the leader. Its value is
// the name of the Lease that the leader would hold.
const LabelReplicaOf = "fanout.flanksource.com/replica-of"

// Holder returns who holds the Lease at the time now, by the clock of whoever renewed it, and for how long it is theirs
// after each renewal. Nobody, "", holds a Lease that is not there, was given up or has run out. Where nobody leads, it is one of
// the replicas that share the work, if there are any.
func Holder(ctx context.Context, hub kubernetes.Interface, namespace, name string, now time.Time) (holder string, lasts time.Duration, err error) {
	leases := hub.CoordinationV1().Leases(namespace)
	lease, err := leases.Get(ctx, name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return "", 0, fmt.Errorf("read the Lease %s/%s: %w", namespace, name, err)
	}
	if err == nil {
		if holder, lasts = holderOf(lease, now); holder != "" {
			return holder, lasts, nil
		}
	}
	replicas, err := leases.List(ctx, metav1.ListOptions{LabelSelector: LabelReplicaOf + "=" + name})
	if err != nil {
		return "", 0, fmt.Errorf("list the Leases in %s: %w", namespace, err)
	}
	for i := range replicas.Items {
		if holder, lasts := holderOf(&replicas.Items[i], now); holder != "" {
			return holder, lasts, nil
		}
	}
	return "", lasts, nil
}

func holderOf(lease *coordinationv1.Lease, now time.Time) (holder string, lasts time.Duration) {
	spec := lease.Spec
	if spec.HolderIdentity == nil || spec.RenewTime == nil || spec.LeaseDurationSeconds == nil {
		return "", 0
	}
	lasts = time.Duration(*spec.LeaseDurationSeconds) * time.Second
	if now.Sub(spec.RenewTime.Time) > lasts {
		return "", lasts
	}
	return *spec.HolderIdentity, lasts
}
