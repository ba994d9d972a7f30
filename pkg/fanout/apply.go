package fanout

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
)

// noVersion is a resourceVersion that no object ever has. Server-side apply with it creates, and answers 409
// where something stands already, whoever put it there and however short ago: see docs/adr/0002.
var noVersion = strconv.FormatInt(math.MaxInt64, 10)

// apply writes want over the version of it that have describes, nil meaning that nothing may stand there. If
// that is not what the member holds any more, it looks again at the object itself.
func (m *member) apply(ctx context.Context, key types.NamespacedName, want demand, have *observed, parent *parent) error {
	_, err := m.write(ctx, key, want, have, parent)
	if apierrors.IsConflict(err) {
		return m.verify(ctx, key, want, parent)
	}
	return classify(err)
}

// maxRaces is how often a write is tried again at once that others' writes of something else overtook. canary-checker
// writes the status once a run.
const maxRaces = 5

// verify reads the object at key and writes want unless what fanout wrote there still holds. An object that is
// not this hub's is left alone, unless its owner has annotated it for adoption.
func (m *member) verify(ctx context.Context, key types.NamespacedName, want demand, parent *parent) error {
	var before *observed
	for races := 0; ; races++ {
		live, err := m.read(ctx, key)
		if apierrors.IsNotFound(err) && !isCRDMissing(err) {
			_, err = m.write(ctx, key, want, nil, parent)
			return classify(err)
		}
		if err != nil {
			return classify(err)
		}
		found := observe(live)
		err = m.renew(ctx, key, want, live, found, parent)
		switch {
		case !apierrors.IsConflict(err):
			return classify(err)
		case before != nil && (before.content != found.content || before.uid != found.uid), races == maxRaces:
			return m.lost(key, want.hash, err)
		}
		before = found
	}
}

// renew writes want over live, of which found is what is remembered, unless it holds already or may not be written.
func (m *member) renew(ctx context.Context, key types.NamespacedName, want demand, live *unstructured.Unstructured, found *observed, parent *parent) error {
	ours := want.canary.GetLabels()[LabelHub]
	switch owner := live.GetLabels()[LabelHub]; {
	case owner != ours && (found.terminating || live.GetAnnotations()[AnnotationAdopt] != "true"):
		return &laterError{after: conflictRecheck, err: &ConflictError{Key: key, Owner: owner}}
	case found.terminating:
		m.view.record(key, found)
		return m.await(ctx, key, parent)
	case owner != ours:
		return m.adopt(ctx, key, want, found, parent)
	case found.hash == want.hash && holds(live, want):
		m.settle(key, want, found)
		return nil
	}
	if err := m.yield(key, want.hash); err != nil {
		return err
	}
	if gone := takenAway(found.shared, want.canary); len(gone) > 0 && found.hash != want.hash {
		var err error
		if found, err = m.takeBack(ctx, key, live, gone); err != nil {
			return err
		}
	}
	_, err := m.write(ctx, key, want, found, parent)
	return err
}

// lost gives way to the writer that was faster than a write of hash, and tries again soon where it is the first time.
func (m *member) lost(key types.NamespacedName, hash string, err error) error {
	m.mu.Lock()
	m.fights.lost(key, hash, m.options.Clock.Now())
	m.mu.Unlock()
	if contested := m.yield(key, hash); contested != nil {
		return contested
	}
	return err
}

// adopt takes over an object whose owner asked for it. The request is consumed: left in place, it would let
// two hubs take the object from each other for ever.
func (m *member) adopt(ctx context.Context, key types.NamespacedName, want demand, found *observed, parent *parent) error {
	claim := want
	claim.canary = want.canary.DeepCopy()
	annotations := claim.canary.GetAnnotations()
	annotations[AnnotationAdopt] = "adopted"
	claim.canary.SetAnnotations(annotations)
	found, err := m.write(ctx, key, claim, found, parent)
	if err != nil {
		return err
	}
	klog.FromContext(ctx).Info("Adopted Canary")
	_, err = m.patch(ctx, key, want.canary, found)
	return err
}

// write applies want, creates its namespace where that is missing, and returns what stands there now.
func (m *member) write(ctx context.Context, key types.NamespacedName, want demand, base *observed, parent *parent) (*observed, error) {
	written, err := m.patch(ctx, key, want.canary, base)
	switch missing := base == nil && isNamespaceMissing(err); {
	case missing && !m.options.CreateNamespaces:
		err = fmt.Errorf("%w: create it in the member, or start fanout with --create-namespaces", err)
	case missing:
		if err = m.createNamespace(ctx, key.Namespace); err == nil {
			written, err = m.patch(ctx, key, want.canary, base)
		}
	}
	if err != nil {
		return nil, err
	}
	m.settle(key, want, written)
	if base != nil && base.resourceVersion == written.resourceVersion {
		return written, nil // the member held it already
	}
	now := m.options.Clock.Now()
	m.mu.Lock()
	again := m.fights.wrote(key, want.hash, now)
	m.mu.Unlock()

	done := "created"
	switch {
	case again > 0:
		done = "restored"
	case base != nil:
		done = "configured"
	}
	m.metrics.wrote(done)
	if again == 0 {
		m.metrics.propagated(now.Sub(parent.seen))
	}
	klog.FromContext(ctx).V(2).Info("Applied Canary", "action", done, "generation", parent.GetGeneration())
	return written, nil
}

// patch is one server-side apply that succeeds only on the version of the object that base describes.
func (m *member) patch(ctx context.Context, key types.NamespacedName, want *unstructured.Unstructured, base *observed) (*observed, error) {
	metadata := map[string]any{}
	for field, value := range want.Object["metadata"].(map[string]any) {
		metadata[field] = value
	}
	if base == nil {
		metadata["resourceVersion"] = noVersion
	} else {
		metadata["uid"], metadata["resourceVersion"] = string(base.uid), base.resourceVersion
	}
	body, err := json.Marshal(map[string]any{
		"apiVersion": want.GetAPIVersion(), "kind": want.GetKind(),
		"metadata": metadata, "spec": want.Object["spec"],
	})
	if err != nil {
		return nil, fmt.Errorf("marshal Canary %s: %w", key, err)
	}
	ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
	defer cancel()
	force := true
	written, err := m.client.Namespace(key.Namespace).Patch(ctx, key.Name, types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: FieldManager, Force: &force})
	if fields := unknownFields(err); len(fields) > 0 {
		return nil, &UnknownFieldError{Key: key, Fields: fields}
	}
	if err != nil {
		return nil, fmt.Errorf("apply Canary %s: %w", key, unrepeated(err))
	}
	o := observe(written)
	if fields := altered(written, want); len(fields) > 0 {
		m.view.record(key, o)
		return nil, &AlteredError{Key: key, Fields: fields}
	}
	return o, nil
}

func (m *member) read(ctx context.Context, key types.NamespacedName) (*unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
	defer cancel()
	live, err := m.client.Namespace(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("get Canary %s: %w", key, unrepeated(err))
	}
	return live, nil
}

// createNamespace creates what a derived Canary needs to stand in. fanout never deletes a namespace.
func (m *member) createNamespace(ctx context.Context, name string) error {
	namespace := &unstructured.Unstructured{}
	namespace.SetAPIVersion(corev1.SchemeGroupVersion.String())
	namespace.SetKind("Namespace")
	namespace.SetName(name)
	ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
	defer cancel()
	_, err := m.spaces.Create(ctx, namespace, metav1.CreateOptions{FieldManager: FieldManager})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create namespace %s: %w", name, unrepeated(err))
	}
	return nil
}
