package look

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/client-go/dynamic"
)

// Hub is the hub as the user may read and, on trial, write it. The zero Hub knows nothing.
type Hub struct {
	Canaries dynamic.NamespaceableResourceInterface
}

// Live is a Canary in the hub, nil where there is none or it can't be read.
func (h Hub) Live(ctx context.Context, namespace, name string) *unstructured.Unstructured {
	if h.Canaries == nil {
		return nil
	}
	live, err := h.Canaries.Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil
	}
	return live
}

// As is what the hub would hold once canary is applied over live, which may be nil, with the CRD's defaults: it is written on trial. Where
// that may not be, the note says what that means. An error is the hub's refusal.
func (h Hub) As(ctx context.Context, canary, live *unstructured.Unstructured) (as *unstructured.Unstructured, note string, err error) {
	merged := over(canary, live)
	if h.Canaries == nil {
		return merged, "the hub was not asked, so the defaults of its CRD are not in it", nil
	}
	in := h.Canaries.Namespace(canary.GetNamespace())
	trial := []string{metav1.DryRunAll}
	if live == nil {
		as, err = in.Create(ctx, merged, metav1.CreateOptions{DryRun: trial})
	} else {
		as, err = in.Update(ctx, merged, metav1.UpdateOptions{DryRun: trial})
	}
	switch {
	case err == nil:
		return as, "", nil
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return nil, "", fmt.Errorf("the hub does not accept %s/%s: %w", canary.GetNamespace(), canary.GetName(), err)
	default:
		return merged, fmt.Sprintf("the hub did not say what it would make of it, so its CRD's defaults are not in it: %v", err), nil
	}
}

// over is canary as kubectl apply would write it over live.
func over(canary, live *unstructured.Unstructured) *unstructured.Unstructured {
	canary = canary.DeepCopy()
	delete(canary.Object, "status")
	if live == nil {
		canary.SetResourceVersion("")
		canary.SetUID("")
		return canary
	}
	merged := live.DeepCopy()
	if applied := live.GetAnnotations()[corev1.LastAppliedConfigAnnotation]; applied != "" {
		if object, err := merge([]byte(applied), canary, live); err == nil {
			return object
		}
	}
	labels, annotations := merged.GetLabels(), merged.GetAnnotations()
	if labels == nil {
		labels = map[string]string{}
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	maps.Copy(labels, canary.GetLabels())
	maps.Copy(annotations, canary.GetAnnotations())
	merged.SetLabels(labels)
	merged.SetAnnotations(annotations)
	merged.Object["spec"] = canary.Object["spec"]
	return merged
}

// merge is what kubectl apply does where it was what applied the object last.
func merge(applied []byte, canary, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	modified, err := json.Marshal(canary.Object)
	if err != nil {
		return nil, err
	}
	current, err := json.Marshal(live.Object)
	if err != nil {
		return nil, err
	}
	patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(applied, modified, current)
	if err != nil {
		return nil, err
	}
	text, err := jsonpatch.MergePatch(current, patch)
	if err != nil {
		return nil, err
	}
	merged := &unstructured.Unstructured{}
	return merged, merged.UnmarshalJSON(text)
}
