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

// hold puts the finalizer on the Secret, and, where other replicas are to know it, the ID of the member. It tells whether the
// finalizer is new, and so the member.
func (k *keeper) hold(ctx context.Context, id string) (first bool, err error) {
	err = editSecret(ctx, k.secrets(), k.name, func(secret *corev1.Secret) {
		k.record(secret, id)
		if first = !hasFinalizer(secret) && secret.DeletionTimestamp == nil; first {
			secret.Finalizers = append(secret.Finalizers, Finalizer)
		}
	})
	if err != nil {
		return false, fmt.Errorf("put the finalizer %s on Secret %s: %w", Finalizer, k.name, err)
	}
	return first, nil
}

// letGo removes the finalizer, and with it a deleted Secret.
func (k *keeper) letGo(ctx context.Context) error {
	err := editSecret(ctx, k.secrets(), k.name, withoutFinalizer)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("remove the finalizer %s from Secret %s: %w", Finalizer, k.name, err)
	}
	return nil
}

func withoutFinalizer(secret *corev1.Secret) {
	secret.Finalizers = slices.DeleteFunc(secret.Finalizers, func(f string) bool { return f == Finalizer })
}

func (k *keeper) secrets() typedcorev1.SecretInterface {
	return k.hub.CoreV1().Secrets(k.options.Namespace)
}

// editSecret gives the Secret of that name the finalizers, and the member's ID, that edit gives a copy of it, unless it becomes
// another Secret meanwhile.
func editSecret(ctx context.Context, secrets typedcorev1.SecretInterface, name string, edit func(*corev1.Secret)) error {
	ctx, cancel := context.WithTimeout(ctx, hubTimeout)
	defer cancel()
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		secret, err := secrets.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		edited := secret.DeepCopy()
		edit(edited)
		id := edited.Annotations[AnnotationMemberID]
		if slices.Equal(edited.Finalizers, secret.Finalizers) && id == secret.Annotations[AnnotationMemberID] {
			return nil
		}
		metadata := map[string]any{"finalizers": edited.Finalizers, "resourceVersion": secret.ResourceVersion, "uid": secret.UID}
		if id != "" {
			metadata["annotations"] = map[string]string{AnnotationMemberID: id}
		}
		patch, err := json.Marshal(map[string]any{"metadata": metadata})
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
