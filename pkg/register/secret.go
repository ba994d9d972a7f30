package register

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"fanout/pkg/clusters"
)

var allFormats = clusters.Formats{clusters.Native, clusters.ClusterAPI, clusters.ArgoCD}

// findSecret returns the Secret of the agent in the hub, nil where it is still to come, and an error where the name is
// taken by something that register must leave alone.
func (o *Options) findSecret(ctx context.Context, hub kubernetes.Interface) (*corev1.Secret, error) {
	if _, err := hub.CoreV1().Namespaces().Get(ctx, o.ClusterNamespace, metav1.GetOptions{}); apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("the hub has no namespace %s: install fanout there first (helm install fanout charts/fanout --namespace %[1]s --create-namespace), or say where its Secrets are, with --cluster-namespace", o.ClusterNamespace)
	}
	list, err := hub.CoreV1().Secrets(o.ClusterNamespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, o.inHub(fmt.Sprintf("list the Secrets in the hub's namespace %s", o.ClusterNamespace), err)
	}
	for _, other := range allFormats.Registrations(list.Items) {
		if other.Agent == o.Agent && other.Secret.Name != o.Agent {
			return nil, fmt.Errorf("secret/%s registers an agent of the name %q already, in the format %s: choose another name", other.Secret.Name, o.Agent, other.Format)
		}
	}
	at := slices.IndexFunc(list.Items, func(secret corev1.Secret) bool { return secret.Name == o.Agent })
	if at < 0 {
		return nil, nil
	}
	secret := &list.Items[at]
	switch {
	case secret.DeletionTimestamp != nil:
		return nil, fmt.Errorf("secret/%s is being deleted, and fanout cleans its member: wait for that with fanout deregister %s", o.Agent, o.Agent)
	case secret.Labels[clusters.LabelSecretType] != clusters.SecretTypeCluster:
		return nil, fmt.Errorf("secret/%s in the hub's namespace %s is no registration of fanout's, and is left alone: choose another name", o.Agent, o.ClusterNamespace)
	case o.Namespaces == nil && secret.Annotations[clusters.AnnotationNamespaces] != "":
		return nil, fmt.Errorf("%s takes Canaries of the namespaces %s only: say --namespaces %[2]s to keep it so, or --namespaces '*' to open it to all", o.Agent, secret.Annotations[clusters.AnnotationNamespaces])
	}
	return secret, nil
}

// registration is the Secret that is still to come.
func (o *Options) registration(kubeconfig []byte) *corev1.Secret {
	secret := &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: o.ClusterNamespace, Name: o.Agent,
			Labels: map[string]string{clusters.LabelSecretType: clusters.SecretTypeCluster},
		},
		Data: map[string][]byte{clusters.KubeconfigKey: kubeconfig},
	}
	maps.Copy(secret.Labels, o.Labels)
	if o.limited() {
		secret.Annotations = map[string]string{clusters.AnnotationNamespaces: strings.Join(o.Namespaces, ",")}
	}
	return secret
}

// writeSecret creates the Secret, or changes the one that is there.
func (o *Options) writeSecret(ctx context.Context, hub kubernetes.Interface, there *corev1.Secret, kubeconfig []byte) error {
	wanted := o.registration(kubeconfig)
	done := "created"
	var err error
	switch {
	case o.DryRun == DryRunClient:
		done = map[bool]string{true: "created", false: "configured"}[there == nil]
	case there == nil:
		_, err = hub.CoreV1().Secrets(o.ClusterNamespace).Create(ctx, wanted, metav1.CreateOptions{FieldManager: fieldManager, DryRun: o.dryRunOptions()})
	default:
		done = "configured"
		err = o.patchSecret(ctx, hub, there, wanted)
	}
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err):
		return fmt.Errorf("secret/%s changed in the hub at the same time: see what changed it, and run this again", o.Agent)
	case err != nil:
		return o.inHub(fmt.Sprintf("write secret/%s in the hub", o.Agent), err)
	}
	o.say("hub: secret/%s %s", o.Agent, done)
	return nil
}

// patchSecret changes what register knows of, in that version of the Secret only.
func (o *Options) patchSecret(ctx context.Context, hub kubernetes.Interface, there, wanted *corev1.Secret) error {
	annotations := map[string]any{}
	if o.Namespaces != nil {
		annotations[clusters.AnnotationNamespaces] = nil
	}
	for key, value := range wanted.Annotations {
		annotations[key] = value
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{
			"uid": there.UID, "resourceVersion": there.ResourceVersion,
			"labels": wanted.Labels, "annotations": annotations,
		},
		"data": wanted.Data,
	})
	if err != nil {
		return err
	}
	_, err = hub.CoreV1().Secrets(o.ClusterNamespace).Patch(ctx, o.Agent, types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: fieldManager, DryRun: o.dryRunOptions()})
	return err
}
