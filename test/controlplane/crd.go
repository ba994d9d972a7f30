package controlplane

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"sigs.k8s.io/yaml"
)

// InstallCRD applies the CustomResourceDefinition in the file and returns when the API server serves each of its versions.
// One that nobody has touched since it was installed from the same file is left alone: a large one takes a second to apply.
func (c *Cluster) InstallCRD(ctx context.Context, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	c.installing.Lock()
	defer c.installing.Unlock()
	if last := c.installed; last.is(data) {
		now, err := c.Definition(ctx, last.name)
		if err == nil && now.GetDeletionTimestamp() == nil && now.GetUID() == last.uid && now.GetGeneration() == last.generation {
			return nil
		}
	}
	c.installed = installation{}
	var crd unstructured.Unstructured
	if err := yaml.Unmarshal(data, &crd.Object); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// A field for the server to fill: an applied null is an error.
	unstructured.RemoveNestedField(crd.Object, "status")
	unstructured.RemoveNestedField(crd.Object, "metadata", "creationTimestamp")
	client, err := dynamic.NewForConfig(c.Config)
	if err != nil {
		return err
	}
	// By apply, since a CRD as large as this doesn't fit into kubectl's annotation, and so that a second time changes nothing.
	applied, err := client.Resource(Definitions).Apply(ctx, crd.GetName(), &crd, metav1.ApplyOptions{FieldManager: "controlplane", Force: true})
	if err != nil {
		return fmt.Errorf("apply CRD %s to %s: %w", crd.GetName(), c.Name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, gvr := range servedBy(&crd) {
		// Established is not enough: for a moment after it, requests are still answered with 404.
		err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
			_, err := client.Resource(gvr).List(ctx, metav1.ListOptions{Limit: 1})
			return err == nil, nil
		})
		if err != nil {
			return fmt.Errorf("wait for %s to serve %s: %w", c.Name, gvr, err)
		}
	}
	c.installed = installation{data: data, name: crd.GetName(), uid: applied.GetUID(), generation: applied.GetGeneration()}
	return nil
}

// Definitions is the resource of CustomResourceDefinitions.
var Definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// installation is a CRD's file, and the object as it was when all of the file was in it.
type installation struct {
	data       []byte
	name       string
	uid        types.UID
	generation int64
}

func (i installation) is(data []byte) bool { return i.name != "" && bytes.Equal(i.data, data) }

// Definition returns the metadata of a CRD, without all that is in it: a large one takes long to read.
func (c *Cluster) Definition(ctx context.Context, name string) (*metav1.PartialObjectMetadata, error) {
	client, err := metadata.NewForConfig(c.Config)
	if err != nil {
		return nil, err
	}
	return client.Resource(Definitions).Get(ctx, name, metav1.GetOptions{})
}

func servedBy(crd *unstructured.Unstructured) []schema.GroupVersionResource {
	group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
	resource, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "plural")
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	var served []schema.GroupVersionResource
	for _, v := range versions {
		version, _ := v.(map[string]any)
		if name, _ := version["name"].(string); version["served"] == true {
			served = append(served, schema.GroupVersionResource{Group: group, Version: name, Resource: resource})
		}
	}
	return served
}
