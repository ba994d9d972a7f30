package main

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
)

var (
	secrets    = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
)

// edit is a command that the reader could type. The demo makes the same request itself, since a kubectl that starts would be
// most of what it measures.
type edit struct {
	command string
	do      func(context.Context) error
}

// checks are the Canaries of the story's namespace.
func (c *cluster) checks() dynamic.ResourceInterface {
	return c.client.Resource(derive.Canaries).Namespace(checksNamespace)
}

// apply is for a Canary that is written down.
func (c *cluster) apply(manifest string) edit {
	return edit{
		command: fmt.Sprintf("kubectl --context %s apply --server-side -f - <<EOF\n%sEOF", c.name, manifest),
		do: func(ctx context.Context) error {
			var canary unstructured.Unstructured
			if err := yaml.Unmarshal([]byte(manifest), &canary.Object); err != nil {
				return err
			}
			_, err := c.checks().Apply(ctx, canary.GetName(), &canary, metav1.ApplyOptions{FieldManager: "kubectl"})
			return err
		},
	}
}

func (c *cluster) patchCheck(patch string) edit {
	return edit{
		command: fmt.Sprintf("kubectl --context %s -n %s patch canary %s --type merge -p '%s'", c.name, checksNamespace, checkName, patch),
		do: func(ctx context.Context) error {
			_, err := c.checks().Patch(ctx, checkName, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "kubectl-patch"})
			return err
		},
	}
}

func (c *cluster) deleteCheck() edit {
	return edit{
		command: fmt.Sprintf("kubectl --context %s -n %s delete canary %s", c.name, checksNamespace, checkName),
		do: func(ctx context.Context) error {
			return c.checks().Delete(ctx, checkName, metav1.DeleteOptions{})
		},
	}
}

// register makes a control plane a member: a Secret with its kubeconfig, and the label that says what it is.
func (s *stage) register(member string) []edit {
	inHub := s.hub.client.Resource(secrets).Namespace(membersNamespace)
	kubectl := fmt.Sprintf("kubectl --context %s -n %s", hubName, membersNamespace)
	return []edit{
		{
			command: fmt.Sprintf("%s create secret generic %s --from-file=%s=%[2]s.kubeconfig", kubectl, member, clusters.KubeconfigKey),
			do: func(ctx context.Context) error {
				secret := &unstructured.Unstructured{Object: map[string]any{
					"apiVersion": "v1", "kind": "Secret",
					"metadata":   map[string]any{"name": member},
					"stringData": map[string]any{clusters.KubeconfigKey: string(s.planes.Cluster(member).Kubeconfig)},
				}}
				_, err := inHub.Create(ctx, secret, metav1.CreateOptions{FieldManager: "kubectl-create"})
				return err
			},
		},
		s.label(member, clusters.LabelSecretType, clusters.SecretTypeCluster),
	}
}

// label puts a label on a member's Secret.
func (s *stage) label(member, key, value string) edit {
	return edit{
		command: fmt.Sprintf("kubectl --context %s -n %s label secret %s %s=%s", hubName, membersNamespace, member, key, value),
		do: func(ctx context.Context) error {
			label := fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, key, value)
			_, err := s.hub.client.Resource(secrets).Namespace(membersNamespace).
				Patch(ctx, member, types.MergePatchType, []byte(label), metav1.PatchOptions{FieldManager: "kubectl-label"})
			return err
		},
	}
}

func (s *stage) deregister(member string) edit {
	return edit{
		command: fmt.Sprintf("kubectl --context %s -n %s delete secret %s", hubName, membersNamespace, member),
		do: func(ctx context.Context) error {
			return s.hub.client.Resource(secrets).Namespace(membersNamespace).Delete(ctx, member, metav1.DeleteOptions{})
		},
	}
}

// createNamespace is for what the story takes for granted.
func (c *cluster) createNamespace(ctx context.Context, name string) error {
	namespace := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name},
	}}
	_, err := c.client.Resource(namespaces).Create(ctx, namespace, metav1.CreateOptions{})
	return err
}
