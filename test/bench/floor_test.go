package bench

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"

	"fanout/pkg/fanout/derive"
)

// floor is the bare client-go program that fanout is measured against: it makes the same requests and does nothing
// else. No selector, no ownership, no drift, no restart.
type floor struct {
	members []dynamic.Interface
	slots   []chan struct{} // per member, as many as fanout's --concurrent-syncs
}

// run applies each Canary of the hub's namespace that comes or changes to every member.
func (f *floor) run(ctx context.Context, b *testing.B, hub dynamic.Interface, namespace string) {
	b.Helper()
	changes, err := hub.Resource(derive.Canaries).Namespace(namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		b.Fatal(err)
	}
	var applying sync.WaitGroup
	go func() {
		defer applying.Wait()
		for change := range changes.ResultChan() {
			canary, ok := change.Object.(*unstructured.Unstructured)
			if !ok || change.Type == watch.Deleted {
				continue
			}
			spec := canary.Object["spec"].(map[string]any)
			delete(spec, "agentSelector")
			for i, member := range f.members {
				f.slots[i] <- struct{}{}
				applying.Go(func() {
					defer func() { <-f.slots[i] }()
					f.apply(ctx, b, member, canary, spec)
				})
			}
		}
	}()
	b.Cleanup(changes.Stop)
}

func (f *floor) apply(ctx context.Context, b *testing.B, member dynamic.Interface, canary *unstructured.Unstructured, spec map[string]any) {
	body, err := json.Marshal(map[string]any{
		"apiVersion": canary.GetAPIVersion(), "kind": canary.GetKind(), "spec": spec,
		"metadata": map[string]any{"name": canary.GetName(), "namespace": canary.GetNamespace(), "labels": canary.GetLabels()},
	})
	if err != nil {
		b.Error(err)
		return
	}
	force := true
	_, err = member.Resource(derive.Canaries).Namespace(canary.GetNamespace()).Patch(ctx, canary.GetName(), types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: "floor", Force: &force})
	if err != nil && ctx.Err() == nil {
		b.Error(err)
	}
}
