// Package lease reads the Lease by which a controller that runs is known.
package lease

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Holder returns who holds the Lease at the time now, by the clock of whoever renewed it, and for how long it is theirs
// after each renewal. Nobody, "", holds a Lease that is not there, was given up or has run out.
func Holder(ctx context.Context, hub kubernetes.Interface, namespace, name string, now time.Time) (holder string, lasts time.Duration, err error) {
	lease, err := hub.CoordinationV1().Leases(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("read the Lease %s/%s: %w", namespace, name, err)
	}
	spec := lease.Spec
	if spec.HolderIdentity == nil || spec.RenewTime == nil || spec.LeaseDurationSeconds == nil {
		return "", 0, nil
	}
	lasts = time.Duration(*spec.LeaseDurationSeconds) * time.Second
	if now.Sub(spec.RenewTime.Time) > lasts {
		return "", lasts, nil
	}
	return *spec.HolderIdentity, lasts, nil
}
