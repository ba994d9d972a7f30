package member

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"fanout/pkg/fanout/answers"
	"fanout/pkg/fanout/derive"
)

// apply writes want over the version of it that have describes, nil meaning that nothing may stand there. If
// that is not what the member holds any more, it looks again at the object itself.
func (m *Member) apply(ctx context.Context, key types.NamespacedName, want Demand, have *observed) error {
	_, err := m.write(ctx, key, want, have)
	if apierrors.IsConflict(err) {
		return m.verify(ctx, key, want)
	}
	return classify(err)
}

// maxRaces is how often a write is tried again at once that others' writes of something else overtook. canary-checker
// writes the status once a run.
const maxRaces = 5

// verify reads the object at key and writes want unless what fanout wrote there still holds. An object that is
// not this hub's is left alone, unless its owner has annotated it for adoption.
func (m *Member) verify(ctx context.Context, key types.NamespacedName, want Demand) error {
	before := ""
	for races := 0; ; races++ {
		live, err := m.read(ctx, key)
		if apierrors.IsNotFound(err) && !isCRDMissing(err) {
			_, err = m.write(ctx, key, want, nil)
			return classify(err)
		}
		if err != nil {
			return classify(err)
		}
		err = m.renew(ctx, key, want, live, observe(live))
		now := substanceOf(live)
		switch {
		case !apierrors.IsConflict(err):
			return classify(err)
		case before != "" && before != now, races == maxRaces:
			return m.lost(key, want.Hash, err)
		}
		before = now
	}
}

// substanceOf identifies what obj is and holds, whoever wrote it. A person's edit of a new copy that canary-checker writes back a
// moment later is one edit, though it is canary-checker's then: nobody fights.
func substanceOf(obj *unstructured.Unstructured) string {
	content := derive.Hash(obj.GetLabels(), obj.GetAnnotations(), derive.Owner(obj), derive.WithoutZero(obj.Object["spec"]))
	return string(obj.GetUID()) + " " + content
}

// renew writes want over live, of which found is what is remembered, unless it holds already or may not be written.
func (m *Member) renew(ctx context.Context, key types.NamespacedName, want Demand, live *unstructured.Unstructured, found *observed) error {
	ours := m.options.HubID
	switch owner := live.GetLabels()[derive.LabelHub]; {
	case owner != ours && (found.terminating || live.GetAnnotations()[derive.AnnotationAdopt] != "true"):
		return &laterError{after: conflictRecheck, err: &ConflictError{Key: key, Owner: owner}}
	case found.terminating:
		m.view.record(key, found)
		return m.await(ctx, key, want.Parent)
	case owner != ours:
		return m.adopt(ctx, key, want, found)
	case found.hash == want.Hash && holds(live, want):
		m.settle(key, want, found)
		return nil
	}
	if err := m.yield(key, want.Hash); err != nil {
		return err
	}
	if gone := takenAway(found.shared, want.Copy); len(gone) > 0 && found.hash != want.Hash {
		var err error
		if found, err = m.takeBack(ctx, key, live, gone); err != nil {
			return err
		}
	}
	_, err := m.write(ctx, key, want, found)
	return err
}

// lost gives way to the writer that was faster than a write of hash, and tries again soon where it is the first time.
func (m *Member) lost(key types.NamespacedName, hash string, err error) error {
	m.view.at(key, func(p *place) { p.written.lost(hash, m.options.Clock.Now()) })
	if contested := m.yield(key, hash); contested != nil {
		return contested
	}
	return err
}

// adopt takes over an object whose owner asked for it. The request is consumed: left in place, it would let
// two hubs take the object from each other for ever.
func (m *Member) adopt(ctx context.Context, key types.NamespacedName, want Demand, found *observed) error {
	claim := want
	claim.Copy = want.Adopted()
	found, err := m.write(ctx, key, claim, found)
	if err != nil {
		return err
	}
	klog.FromContext(ctx).Info("Adopted Canary", "canary", key)
	_, err = m.patch(ctx, key, want.Copy, found)
	return err
}

// write applies want, creates its namespace where that is missing, and returns what stands there now.
func (m *Member) write(ctx context.Context, key types.NamespacedName, want Demand, base *observed) (*observed, error) {
	written, err := m.patch(ctx, key, want.Copy, base)
	switch missing := base == nil && isNamespaceMissing(err); {
	case missing && !m.options.CreateNamespaces:
		err = fmt.Errorf("%w: create it in the member, or start fanout with --create-namespaces", err)
	case missing:
		if err = m.createNamespace(ctx, key.Namespace); err == nil {
			written, err = m.patch(ctx, key, want.Copy, base)
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
	again := 0
	m.view.at(key, func(p *place) { again = p.written.wrote(written.hash, now) })

	done := "created"
	switch {
	case again > 0:
		done = "restored"
	case base != nil:
		done = "configured"
	}
	m.metrics.wrote(done)
	if again == 0 {
		m.metrics.propagated(now.Sub(want.Seen))
	}
	klog.FromContext(ctx).V(2).Info("Applied Canary", "canary", key, "action", done, "generation", want.Generation)
	return written, nil
}

// patch is one server-side apply that succeeds only on the version of the object that base describes.
func (m *Member) patch(ctx context.Context, key types.NamespacedName, want derive.Copy, base *observed) (*observed, error) {
	apply := want.Apply("", derive.NoVersion)
	if base != nil {
		apply = want.Apply(base.uid, base.resourceVersion)
	}
	ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
	defer cancel()
	body, err := m.rest.Patch(types.ApplyPatchType).
		AbsPath("apis", derive.Canaries.Group, derive.Canaries.Version, "namespaces", key.Namespace, derive.Canaries.Resource, key.Name).
		Param("fieldManager", derive.FieldManager).Param("force", "true").
		Body(apply).Stream(ctx)
	if fields := unknownFields(err); len(fields) > 0 {
		return nil, &UnknownFieldError{Key: key, Fields: fields}
	}
	if err != nil {
		return nil, fmt.Errorf("apply Canary %s: %w", key, unrepeated(err))
	}
	text, err := answers.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("apply Canary %s: %w", key, err)
	}
	written := glanceAt(text)
	if o := written.asSent(want); o != nil {
		return o, nil
	}
	return m.examine(key, want, written)
}

// examine compares what a member stored, and answered to a write, with what was asked for.
func (m *Member) examine(key types.NamespacedName, want derive.Copy, stored glance) (*observed, error) {
	kept, err := stored.decode()
	if err != nil {
		return nil, fmt.Errorf("apply Canary %s: %w", key, errNotKubernetes)
	}
	o := stored.of(kept)
	if fields := altered(kept, want); len(fields) > 0 {
		m.view.record(key, o)
		return nil, &AlteredError{Key: key, Fields: fields}
	}
	return o, nil
}

func (m *Member) read(ctx context.Context, key types.NamespacedName) (*unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
	defer cancel()
	live, err := m.client.Namespace(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("get Canary %s: %w", key, unrepeated(err))
	}
	return live, nil
}

// createNamespace creates what a derived Canary needs to stand in. fanout never deletes a namespace.
func (m *Member) createNamespace(ctx context.Context, name string) error {
	namespace := &unstructured.Unstructured{}
	namespace.SetAPIVersion(corev1.SchemeGroupVersion.String())
	namespace.SetKind("Namespace")
	namespace.SetName(name)
	ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
	defer cancel()
	_, err := m.spaces.Create(ctx, namespace, metav1.CreateOptions{FieldManager: derive.FieldManager})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create namespace %s: %w", name, unrepeated(err))
	}
	return nil
}
