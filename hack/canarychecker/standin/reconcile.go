package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// nextRuntime is the annotation that asks for one run more. canary-checker takes it off, by another round trip.
const nextRuntime = "next-runtime"

// sync does what is due to one Canary when it came, changed or went.
func (c *checker) sync(ctx context.Context, key cache.ObjectName) error {
	canary := c.store.get(key)
	if canary == nil {
		c.unschedule(key)
		return nil
	}
	held := slices.Contains(canary.GetFinalizers(), Finalizer)
	switch {
	case canary.GetDeletionTimestamp() != nil:
		c.unschedule(key)
		if !held {
			return nil
		}
		canary.SetFinalizers(slices.DeleteFunc(canary.GetFinalizers(), func(name string) bool { return name == Finalizer }))
		_, err := c.writeBack(ctx, canary)
		return err
	case !held:
		canary.SetFinalizers(append(canary.GetFinalizers(), Finalizer))
		var err error
		if canary, err = c.writeBack(ctx, canary); err != nil || canary == nil {
			return err
		}
	}
	if err := c.schedule(key, canary); err != nil {
		return c.patchStatus(ctx, canary, func(status map[string]any) { status["errorMessage"] = err.Error() })
	}
	if annotations := canary.GetAnnotations(); annotations[nextRuntime] != "" {
		delete(annotations, nextRuntime)
		canary.SetAnnotations(annotations)
		if _, err := c.writeBack(ctx, canary); err != nil {
			return err
		}
		c.runNow(key)
	}
	return c.patchStatus(ctx, canary, func(status map[string]any) { takeIn(status, canary) })
}

// takeIn notes in a status that canary-checker knows of this generation.
func takeIn(status map[string]any, canary *unstructured.Unstructured) {
	ids := map[string]any{}
	for _, check := range checksOf(canary) {
		ids[check.name] = check.id
	}
	set(status, "checks", ids, len(ids) > 0)
	status["observedGeneration"] = canary.GetGeneration()
	if replicas, found, _ := unstructured.NestedInt64(canary.Object, "spec", "replicas"); found {
		set(status, "replicas", replicas, replicas != 0)
	}
}

// set writes a field as Go's omitempty does.
func set(fields map[string]any, name string, value any, notEmpty bool) {
	if notEmpty {
		fields[name] = value
	} else {
		delete(fields, name)
	}
}

// check is one check of a Canary.
type check struct {
	kind, name, id string
	fields         map[string]any
}

// checksOf returns a Canary's checks in the order in which canary-checker runs them, so far as that is known: kind by kind.
func checksOf(canary *unstructured.Unstructured) []check {
	spec, _ := canary.Object["spec"].(map[string]any)
	var checks []check
	add := func(kind string, value any) {
		if fields, ok := value.(map[string]any); ok {
			name, _ := fields["name"].(string)
			id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(string(canary.GetUID())+"/"+kind+"/"+name)).String()
			checks = append(checks, check{kind, name, id, fields})
		}
	}
	for _, kind := range kinds {
		list, _ := spec[kind].([]any)
		for _, element := range list {
			add(kind, element)
		}
	}
	add("webhook", spec["webhook"])
	return checks
}

// writeBack writes the whole Canary as canary-checker does, and returns what stands there then; nil where it is gone.
func (c *checker) writeBack(ctx context.Context, canary *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if spec, ok := canary.Object["spec"].(map[string]any); ok {
		canary.Object["spec"] = RoundTrip(spec)
	}
	written, err := c.client.Namespace(canary.GetNamespace()).Update(ctx, canary, metav1.UpdateOptions{FieldManager: Manager})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("update Canary %s/%s: %w", canary.GetNamespace(), canary.GetName(), err)
	}
	return written, nil
}

// patchStatus changes the status in one write, if that makes any difference, and leaves the rest of it as it is.
func (c *checker) patchStatus(ctx context.Context, canary *unstructured.Unstructured, change func(status map[string]any)) error {
	before, _ := canary.Object["status"].(map[string]any)
	after := map[string]any{}
	if before != nil {
		after = (&unstructured.Unstructured{Object: before}).DeepCopy().Object
	}
	change(after)
	patch, err := mergePatch(before, after)
	if err != nil || string(patch) == `{}` {
		return err
	}
	_, err = c.client.Namespace(canary.GetNamespace()).Patch(ctx, canary.GetName(), types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: Manager}, "status")
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("patch the status of Canary %s/%s: %w", canary.GetNamespace(), canary.GetName(), err)
	}
	return nil
}

func mergePatch(before, after map[string]any) ([]byte, error) {
	var texts [2][]byte
	for i, status := range []map[string]any{before, after} {
		object := map[string]any{}
		if status != nil {
			object["status"] = status
		}
		var err error
		if texts[i], err = json.Marshal(object); err != nil {
			return nil, err
		}
	}
	return jsonpatch.CreateMergePatch(texts[0], texts[1])
}
