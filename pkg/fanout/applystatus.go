package fanout

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"fanout/pkg/fanout/answers"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/results"
)

// appliedStatus is what the hub answers to a write of a status.
type appliedStatus struct {
	version uint64
	shown   results.Shown
}

// patchStatus takes out of p's status, as the hub holds it now, what remove says, by a JSON merge patch: what server-side apply can't take
// away. remove returns nil where that is nothing.
func (c *Controller) patchStatus(ctx context.Context, p *parent, remove func(status any) map[string]any) error {
	ctx, cancel := context.WithTimeout(ctx, c.options.RequestTimeout)
	defer cancel()
	canaries := dynamic.New(c.client).Resource(derive.Canaries).Namespace(p.GetNamespace())
	live, err := canaries.Get(ctx, p.GetName(), metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("get Canary %s: %w", p.key(), err)
	}
	gone := remove(live.Object["status"])
	if gone == nil {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.GetUID()}, "status": gone})
	if err != nil {
		return fmt.Errorf("status of Canary %s: %w", p.key(), err)
	}
	if _, err := c.patchCanary(ctx, types.MergePatchType, p.key(), patch, "status"); err != nil {
		return fmt.Errorf("patch status of Canary %s: %w", p.key(), err)
	}
	return nil
}

// applyStatus has fanout's part of p's status say status and no more, nil being nothing at all. What others wrote to it is theirs, and
// so is another Canary of that name. It returns how many bytes were sent, too.
func (c *Controller) applyStatus(ctx context.Context, p *parent, status map[string]any) (answer appliedStatus, size int, err error) {
	apply := map[string]any{
		"apiVersion": derive.Canaries.GroupVersion().String(), "kind": derive.Kind,
		"metadata": map[string]any{"namespace": p.GetNamespace(), "name": p.GetName(), "uid": p.GetUID()},
	}
	if status != nil {
		apply["status"] = status
	}
	body, err := json.Marshal(apply)
	if err != nil {
		return appliedStatus{}, 0, fmt.Errorf("status of Canary %s: %w", p.key(), err)
	}
	text, err := c.patchCanary(ctx, types.ApplyPatchType, p.key(), body, "status")
	if err != nil {
		return appliedStatus{}, 0, fmt.Errorf("apply status of Canary %s: %w", p.key(), err)
	}
	// No more is decoded of it: with many agents, who manages which field takes a third as much room as the status.
	found := gjson.GetMany(text, "metadata.resourceVersion", "status")
	answer.version, _ = strconv.ParseUint(found[0].Str, 10, 64)
	var kept any
	if found[1].Exists() {
		if err := json.Unmarshal([]byte(found[1].Raw), &kept); err != nil {
			return appliedStatus{}, 0, fmt.Errorf("apply status of Canary %s: %w", p.key(), err)
		}
	}
	answer.shown = results.ReadShown(kept)
	return answer, len(body), nil
}

// patchCanary patches a Canary of the hub, or a subresource of it, as fanout, and returns what the hub answers. A server-side apply takes
// fields from others.
func (c *Controller) patchCanary(ctx context.Context, kind types.PatchType, key types.NamespacedName, patch []byte, subresource ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.RequestTimeout)
	defer cancel()
	request := c.client.Patch(kind).AbsPath(append(pathOf(key), subresource...)...).Param("fieldManager", derive.FieldManager)
	if kind == types.ApplyPatchType {
		request.Param("force", "true")
	}
	body, err := request.Body(patch).Stream(ctx)
	if err != nil {
		return "", err
	}
	return answers.ReadAll(body)
}

// pathOf is where the hub has a Canary.
func pathOf(key types.NamespacedName) []string {
	return []string{"apis", derive.Canaries.Group, derive.Canaries.Version, "namespaces", key.Namespace, derive.Canaries.Resource, key.Name}
}
