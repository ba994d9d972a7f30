package clusters

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Release takes the finalizer off the Secrets of a namespace, so that they can be deleted where no Registry runs any more
// that would. It calls released with each Secret's name, goes on past errors, and returns them all. What was put into the
// members stays there.
func Release(ctx context.Context, hub kubernetes.Interface, namespace string, released func(name string)) error {
	secrets := hub.CoreV1().Secrets(namespace)
	list, err := secrets.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list the Secrets in namespace %s: %w", namespace, err)
	}
	var faults []error
	for _, secret := range list.Items {
		if !hasFinalizer(&secret) {
			continue
		}
		switch err := editSecret(ctx, secrets, secret.Name, withoutFinalizer); {
		case err == nil:
			released(secret.Name)
		case !apierrors.IsNotFound(err):
			faults = append(faults, fmt.Errorf("remove the finalizer %s from Secret %s: %w", Finalizer, secret.Name, err))
		}
	}
	return errors.Join(faults...)
}
