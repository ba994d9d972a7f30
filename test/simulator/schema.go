package simulator

import (
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/yaml"
)

// canaries is the resource, canaryKind the kind of what members hold.
var (
	canaries   = schema.GroupResource{Group: "canaries.flanksource.com", Resource: "canaries"}
	canaryKind = schema.GroupVersionKind{Group: canaries.Group, Version: "v1", Kind: "Canary"}
)

// canarySchema is what the Canary CRD says: who manages which fields, and what is there by default.
type canarySchema struct {
	object *spec.Schema
	fields *managedfields.FieldManager // of the object
	status *managedfields.FieldManager // of its status
}

// metadataSchema is what server-side apply has to know of an object's metadata.
const metadataSchema = `{"type":"object","properties":{
"name":{"type":"string"},"namespace":{"type":"string"},"generateName":{"type":"string"},"uid":{"type":"string"},"resourceVersion":{"type":"string"},
"generation":{"type":"integer"},"creationTimestamp":{"type":"string"},"deletionTimestamp":{"type":"string"},"deletionGracePeriodSeconds":{"type":"integer"},
"labels":{"type":"object","additionalProperties":{"type":"string"}},"annotations":{"type":"object","additionalProperties":{"type":"string"}},
"finalizers":{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"set"},
"ownerReferences":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["uid"],"items":{"type":"object","x-kubernetes-map-type":"atomic",
"properties":{"apiVersion":{"type":"string"},"kind":{"type":"string"},"name":{"type":"string"},"uid":{"type":"string"},"controller":{"type":"boolean"},"blockOwnerDeletion":{"type":"boolean"}}}},
"managedFields":{"type":"array","items":{"type":"object"},"x-kubernetes-list-type":"atomic"}}}`

// readSchema reads the CRD in the file.
func readSchema(path string) (*canarySchema, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct{ OpenAPIV3Schema *spec.Schema }
			}
		}
	}
	if err := yaml.Unmarshal(data, &crd); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(crd.Spec.Versions) != 1 || crd.Spec.Versions[0].Name != canaryKind.Version {
		return nil, fmt.Errorf("%s: not a CRD with the version %s and no other", path, canaryKind.Version)
	}
	s := &canarySchema{object: crd.Spec.Versions[0].Schema.OpenAPIV3Schema}
	metadata := &spec.Schema{}
	if err := json.Unmarshal([]byte(metadataSchema), metadata); err != nil {
		return nil, err
	}
	s.object.Properties["metadata"] = *spec.RefSchema("#/definitions/metadata")
	s.object.AddExtension("x-kubernetes-group-version-kind", []any{map[string]any{
		"group": canaryKind.Group, "version": canaryKind.Version, "kind": canaryKind.Kind,
	}})
	types, err := managedfields.NewTypeConverter(map[string]*spec.Schema{"canary": s.object, "metadata": metadata}, false)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	version := fieldpath.APIVersion(canaryKind.GroupVersion().String())
	without := func(fields ...string) map[fieldpath.APIVersion]fieldpath.Filter {
		set := fieldpath.NewSet()
		for _, field := range fields {
			set.Insert(fieldpath.MakePathOrDie(field))
		}
		return map[fieldpath.APIVersion]fieldpath.Filter{version: fieldpath.NewExcludeSetFilter(set)}
	}
	if s.fields, err = managedfields.NewDefaultCRDFieldManager(types, asTheyAre{}, asTheyAre{}, asTheyAre{},
		canaryKind, canaryKind.GroupVersion(), "", without("status")); err != nil {
		return nil, err
	}
	s.status, err = managedfields.NewDefaultCRDFieldManager(types, asTheyAre{}, asTheyAre{}, asTheyAre{},
		canaryKind, canaryKind.GroupVersion(), "status", without("spec", "metadata"))
	return s, err
}

// fill adds to a Canary what the CRD has as defaults.
func (s *canarySchema) fill(object map[string]any) { fill(object, s.object) }

func fill(value any, schema *spec.Schema) {
	switch value := value.(type) {
	case map[string]any:
		for name, property := range schema.Properties {
			if _, there := value[name]; !there && property.Default != nil {
				value[name] = runtime.DeepCopyJSONValue(wholeNumber(property.Default))
			}
			if inner, there := value[name]; there {
				fill(inner, &property)
			}
		}
		if more := schema.AdditionalProperties; more != nil && more.Schema != nil {
			for _, inner := range value {
				fill(inner, more.Schema)
			}
		}
	case []any:
		if schema.Items != nil && schema.Items.Schema != nil {
			for _, element := range value {
				fill(element, schema.Items.Schema)
			}
		}
	}
}

// wholeNumber is a default as unstructured objects have it: encoding/json reads all numbers as floats.
func wholeNumber(value any) any {
	if number, ok := value.(float64); ok && number == float64(int64(number)) {
		return int64(number)
	}
	return value
}

// asTheyAre converts nothing: Canaries have one version.
type asTheyAre struct{}

func (asTheyAre) Convert(in, out, _ any) error { return fmt.Errorf("convert %T to %T", in, out) }

func (asTheyAre) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}

func (asTheyAre) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

func (asTheyAre) Default(runtime.Object) {}

func (asTheyAre) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	return object, nil
}
