package member

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"fanout/pkg/fanout/derive"
)

// sharedFields names those of the fields that fanout set, in the copy's own words, that a server-side apply without them
// would leave where they are, since others wrote to them after fanout, if only the same.
func sharedFields(set string, managers []derive.Manager) string {
	var shared []string
	for field := range strings.SplitSeq(set, ",") {
		ours, others := false, false
		for _, m := range managers {
			if m.IsFanout() {
				ours = ours || m.Fields["f:"+field] != nil
			} else {
				others = others || keepsFromGoing(m, field)
			}
		}
		if field != "" && (others || !ours) {
			shared = append(shared, field)
		}
	}
	return strings.Join(shared, ",")
}

// keepsFromGoing tells whether m holds a field that fanout set. What somebody else than canary-checker has in an object
// beside fanout's fields is theirs, and no part of what fanout set.
func keepsFromGoing(m derive.Manager, field string) bool {
	below, ok := m.Fields["f:"+field].(map[string]any)
	return ok && (len(below) == 0 || m.IsChecker())
}

// takenAway returns those of the shared fields that want does not set any more.
func takenAway(shared string, want derive.Copy) []string {
	if shared == "" || want.Hash == "" {
		return nil
	}
	return slices.DeleteFunc(strings.Split(shared, ","), func(field string) bool {
		_, still := want.Spec()[field]
		return still
	})
}

// takeBack makes fanout the only manager of those fields of the copy, and changes nothing else about it, so that they go
// with the apply that follows. It writes exactly the version that live is of.
func (m *Member) takeBack(ctx context.Context, key types.NamespacedName, live *unstructured.Unstructured, fields []string) (*observed, error) {
	managed, err := managedByFanout(live, fields)
	if err != nil {
		return nil, fmt.Errorf("read the managed fields of Canary %s: %w", key, err)
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": string(live.GetUID()), "resourceVersion": live.GetResourceVersion(), "managedFields": managed,
	}})
	if err != nil {
		return nil, fmt.Errorf("marshal the managed fields of Canary %s: %w", key, err)
	}
	ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
	defer cancel()
	written, err := m.client.Namespace(key.Namespace).Patch(ctx, key.Name, types.MergePatchType, body, metav1.PatchOptions{FieldManager: derive.FieldManager})
	if err != nil {
		return nil, fmt.Errorf("take back %s of Canary %s: %w", strings.Join(fields, ", "), key, unrepeated(err))
	}
	klog.FromContext(ctx).V(2).Info("Took back fields that others wrote to and the parent does not set any more", "canary", key, "fields", fields)
	return observe(written), nil
}

// managedByFanout returns live's managedFields with those fields of the spec in fanout's entry, and in nobody else's.
func managedByFanout(live *unstructured.Unstructured, fields []string) ([]any, error) {
	entries, _, err := unstructured.NestedSlice(live.Object, "metadata", "managedFields") // a copy
	if err != nil {
		return nil, err
	}
	ours := map[string]any{
		"manager": derive.FieldManager, "operation": string(metav1.ManagedFieldsOperationApply),
		"apiVersion": live.GetAPIVersion(), "fieldsType": "FieldsV1",
	}
	others := []any{}
	for _, item := range entries {
		entry, _ := item.(map[string]any)
		m := derive.ManagerOf(entry)
		if m.IsFanout() {
			ours = entry
			continue
		}
		for _, field := range fields {
			if keepsFromGoing(m, field) {
				delete(m.Fields, "f:"+field)
			}
		}
		if len(m.Fields) == 0 { // or it would hold the spec as a whole
			unstructured.RemoveNestedField(entry, "fieldsV1", "f:spec")
		}
		if left, _, _ := unstructured.NestedMap(entry, "fieldsV1"); len(left) > 0 {
			others = append(others, entry)
		}
	}
	for _, field := range fields {
		if err := unstructured.SetNestedMap(ours, map[string]any{}, "fieldsV1", "f:spec", "f:"+field); err != nil {
			return nil, err
		}
	}
	return append(others, ours), nil
}
