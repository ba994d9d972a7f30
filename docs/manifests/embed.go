// Package manifests holds the rights that fanout needs, as the files beside it grant them: what is documented is what is
// granted.
package manifests

import (
	"bytes"
	_ "embed"
	"errors"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// Namespace is the one that the manifests put the ServiceAccount fanout into.
const Namespace = "fanout-system"

//go:embed hub.yaml
var hub []byte

//go:embed hub-capi.yaml
var hubClusterAPI []byte

//go:embed hub-page.yaml
var hubPage []byte

//go:embed member.yaml
var member []byte

// Hub returns what lets fanout into the hub: the objects of hub.yaml, in their order.
func Hub() []*unstructured.Unstructured { return decode(hub) }

// HubClusterAPI returns what is added to it where members are to be selected by the labels of Cluster API's Clusters, too: the
// objects of hub-capi.yaml, in their order.
func HubClusterAPI() []*unstructured.Unstructured { return decode(hubClusterAPI) }

// HubPage returns what is added to Hub where those who come for the page are asked who they are: the objects of hub-page.yaml, in their
// order.
func HubPage() []*unstructured.Unstructured { return decode(hubPage) }

// Member returns what lets fanout into a member: the objects of member.yaml, in their order.
func Member() []*unstructured.Unstructured { return decode(member) }

func decode(text []byte) []*unstructured.Unstructured {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		switch err := decoder.Decode(&object.Object); {
		case errors.Is(err, io.EOF):
			return objects
		case err != nil:
			panic(err) // the files are this package's own
		case len(object.Object) > 0:
			objects = append(objects, object)
		}
	}
}
