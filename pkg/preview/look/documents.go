package look

import (
	"errors"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
)

// Canaries returns those among the documents that in holds, YAML or JSON, also within lists. Others are left out; none at all is an error.
func Canaries(in io.Reader) ([]*unstructured.Unstructured, error) {
	objects, err := documents(in)
	if err != nil {
		return nil, err
	}
	var canaries []*unstructured.Unstructured
	for _, object := range objects {
		if object.GroupVersionKind().Group == derive.Canaries.Group && object.GetKind() == derive.Kind {
			if object.GetName() == "" {
				return nil, errors.New("there is a Canary without a name")
			}
			canaries = append(canaries, object)
		}
	}
	if len(canaries) == 0 {
		return nil, fmt.Errorf("there is no Canary (%s) in it", derive.Canaries.GroupVersion())
	}
	return canaries, nil
}

// Registration returns what the one Secret in the documents that in holds registers.
func Registration(in io.Reader) (clusters.Registration, error) {
	var none clusters.Registration
	objects, err := documents(in)
	if err != nil {
		return none, err
	}
	var secrets []corev1.Secret
	for _, object := range objects {
		if object.GetKind() != "Secret" {
			continue
		}
		var secret corev1.Secret
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &secret); err != nil {
			return none, errors.New("there is a Secret in it that is none") // and what it holds is not repeated
		}
		for key, value := range secret.StringData {
			if secret.Data == nil {
				secret.Data = map[string][]byte{}
			}
			secret.Data[key] = []byte(value)
		}
		secrets = append(secrets, secret)
	}
	registrations := clusters.Formats{clusters.Native, clusters.ClusterAPI, clusters.ArgoCD}.Registrations(secrets)
	if len(registrations) != 1 {
		return none, fmt.Errorf("there has to be one Secret in it that registers a member (with the label %s=%s, or Cluster API's or Argo CD's), and there are %d",
			clusters.LabelSecretType, clusters.SecretTypeCluster, len(registrations))
	}
	return registrations[0], nil
}

func documents(in io.Reader) (objects []*unstructured.Unstructured, err error) {
	decoder := yaml.NewYAMLOrJSONDecoder(in, 4096)
	for {
		object := &unstructured.Unstructured{}
		switch err := decoder.Decode(&object.Object); {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, errors.New("it is neither YAML nor JSON of Kubernetes objects") // a Secret may be in it
		case object.Object == nil:
		case object.IsList():
			list, err := object.ToList()
			if err != nil {
				return nil, err
			}
			for i := range list.Items {
				objects = append(objects, &list.Items[i])
			}
		default:
			objects = append(objects, object)
		}
	}
}
