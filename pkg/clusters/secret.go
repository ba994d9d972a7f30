package clusters

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"fanout/pkg/selector"
)

// How a Secret registers a member.
const (
	prefix = "fanout.flanksource.com/"

	// LabelSecretType marks a Secret that registers a member; its value is SecretTypeCluster.
	LabelSecretType = prefix + "secret-type"
	// SecretTypeCluster is the value of LabelSecretType.
	SecretTypeCluster = "cluster"
	// KubeconfigKey is the key of the Secret's data that holds the kubeconfig.
	KubeconfigKey = "kubeconfig"
	// Finalizer holds a Secret, and so the credential, until its member is cleaned.
	Finalizer = prefix + "cluster"
	// AnnotationOnDeregister says what happens to what was put into the member when its Secret is deleted.
	AnnotationOnDeregister = prefix + "on-deregister"
	// OnDeregisterKeep, as AnnotationOnDeregister, leaves it there.
	OnDeregisterKeep = "keep"
	// AnnotationNamespaces limits the namespaces of the hub that may put something into the member: patterns with commas
	// between them. Without it all may.
	AnnotationNamespaces = prefix + "namespaces"
	// AnnotationMemberID is the ID of the cluster that the Secret led to last, as a replica notes it for the others.
	AnnotationMemberID = prefix + "member-id"

	// reservedAgent is the name that means the hub itself.
	reservedAgent = "local"
)

// isRegistration tells whether secret is, or was, the registration of a member.
func (f Formats) isRegistration(secret *corev1.Secret) bool {
	return f.of(secret) != "" || hasFinalizer(secret)
}

func hasFinalizer(secret *corev1.Secret) bool {
	return slices.Contains(secret.Finalizers, Finalizer)
}

// isLeaving tells whether a member is being deregistered: its Secret is deleted, or has lost the label. A flag that was
// forgotten is neither: see switchedOff.
func (f Formats) isLeaving(secret *corev1.Secret) bool {
	return secret.DeletionTimestamp != nil || f.of(secret) == "" && f.switchedOff(secret) == nil
}

// switchedOff returns an error if the Secret registers a member in formats only that are not understood any more.
func (f Formats) switchedOff(secret *corev1.Secret) error {
	format := Formats(precedence).of(secret)
	if format == "" || f.of(secret) != "" {
		return nil
	}
	return fmt.Errorf("%w: the Secret registers its member in the format %q, which is switched off: nothing is changed in the member until it is switched on with --registration, or the Secret loses its label or is deleted, to have what was put there removed",
		errRefused, format)
}

// namespacesOf reads which namespaces of the hub may put something into the member.
func namespacesOf(secret *corev1.Secret) (selector.Namespaces, error) {
	text, limited := secret.Annotations[AnnotationNamespaces]
	if !limited {
		text = "*"
	}
	namespaces, err := selector.ParseNamespaces(text)
	if err != nil {
		return selector.Namespaces{}, fmt.Errorf("%w: annotation %s: %w", errRefused, AnnotationNamespaces, err)
	}
	return namespaces, nil
}

// sameNamespaces tells whether both allow the same namespaces, by the same words.
func sameNamespaces(a, b *corev1.Secret) bool {
	textA, limitedA := a.Annotations[AnnotationNamespaces]
	textB, limitedB := b.Annotations[AnnotationNamespaces]
	return limitedA == limitedB && textA == textB
}

// trimSecret is the informer's transform: of a Secret that registers no member no data is kept, and of one that does only
// what it is read for.
func (f Formats) trimSecret(obj any) (any, error) {
	secret, ok := obj.(*corev1.Secret)
	if !ok {
		return obj, nil
	}
	secret.ManagedFields = nil
	if !f.isRegistration(secret) {
		secret.Data, secret.Annotations = nil, nil
		return secret, nil
	}
	format := f.formatOf(secret)
	maps.DeleteFunc(secret.Data, func(key string, _ []byte) bool { return !slices.Contains(format.keys(), key) })
	return secret, nil
}
