package clusters

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/util/retry"
)

// hold puts the finalizer on the Secret. It tells whether that is new, and so the member.
func (k *keeper) hold(ctx context.Context) (first bool, err error) {
	err = editFinalizers(ctx, k.secrets(), k.name, func(secret *corev1.Secret) []string {
		if hasFinalizer(secret) || secret.DeletionTimestamp != nil {
			return secret.Finalizers
		}
		first = true
		return append(slices.Clone(secret.Finalizers), Finalizer)
	})
	if err != nil {
		return false, fmt.Errorf("put the finalizer %s on Secret %s: %w", Finalizer, k.name, err)
	}
	return first, nil
}

// letGo removes the finalizer, and with it a deleted Secret.
func (k *keeper) letGo(ctx context.Context) error {
	err := editFinalizers(ctx, k.secrets(), k.name, withoutFinalizer)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("remove the finalizer %s from Secret %s: %w", Finalizer, k.name, err)
	}
	return nil
}

func withoutFinalizer(secret *corev1.Secret) []string {
	return slices.DeleteFunc(slices.Clone(secret.Finalizers), func(f string) bool { return f == Finalizer })
}

func (k *keeper) secrets() typedcorev1.SecretInterface {
	return k.hub.CoreV1().Secrets(k.options.Namespace)
}

// editFinalizers gives the Secret of that name the finalizers that edit returns, unless it becomes another Secret meanwhile.
func editFinalizers(ctx context.Context, secrets typedcorev1.SecretInterface, name string, edit func(*corev1.Secret) []string) error {
	ctx, cancel := context.WithTimeout(ctx, hubTimeout)
	defer cancel()
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		secret, err := secrets.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		edited := edit(secret)
		if slices.Equal(edited, secret.Finalizers) {
			return nil
		}
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
			"finalizers": edited, "resourceVersion": secret.ResourceVersion, "uid": secret.UID,
		}})
		if err != nil {
			return err
		}
		_, err = secrets.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
		return err
	})
}

// hubTimeout bounds what is asked of the hub.
const hubTimeout = 30 * time.Second

// fieldManager is the name under which fanout owns its finalizer.
const fieldManager = "fanout"
