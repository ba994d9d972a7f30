package register

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"

	"fanout/pkg/fanout/derive"
)

// fieldManager is the name under which register owns fields in the member.
const fieldManager = "fanout-register"

// member is the member as the person reaches it who registers it.
type member struct {
	*Options
	hubID     string
	client    dynamic.Interface
	discovery discovery.ServerResourcesInterface
}

// made are the kinds that register makes in a member, in the order in which they go: nothing outlives what it gives rights to.
var made = []schema.GroupVersionKind{
	{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRoleBinding"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole"},
	{Version: "v1", Kind: "Secret"},
	{Version: "v1", Kind: "ServiceAccount"},
}

func (m *member) resource(object *unstructured.Unstructured) dynamic.ResourceInterface {
	resource, _ := meta.UnsafeGuessKindToResource(object.GroupVersionKind())
	if namespace := object.GetNamespace(); namespace != "" {
		return m.client.Resource(resource).Namespace(namespace)
	}
	return m.client.Resource(resource)
}

// apply makes the objects what they should be. It looks at all of them first, and changes none if one is another hub's.
func (m *member) apply(ctx context.Context, objects []*unstructured.Unstructured) error {
	found := make([]*unstructured.Unstructured, len(objects))
	var faults []error
	for i, object := range objects {
		var err error
		if found[i], err = m.find(ctx, object); err != nil {
			faults = append(faults, err)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	missing := map[string]bool{} // namespaces that a dry run does not create
	for i, object := range objects {
		isNamespace := object.GetKind() == "Namespace"
		before := ""
		switch {
		case found[i] != nil && isNamespace:
			continue
		case found[i] != nil:
			before = found[i].GetResourceVersion()
		case isNamespace:
			missing[object.GetName()] = true
		}
		if !isNamespace {
			m.mark(object)
		}
		after := ""
		if m.DryRun == DryRunNone || m.DryRun == DryRunServer && !missing[object.GetNamespace()] {
			applied, err := m.applyOne(ctx, object)
			if err != nil {
				return err
			}
			after = applied.GetResourceVersion()
		}
		m.say("member: %s %s", nameOf(object), m.done(before, after))
	}
	return nil
}

func (m *member) applyOne(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	force := true // whoever applied the manifest before
	applied, err := m.resource(object).Patch(ctx, object.GetName(), types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: fieldManager, Force: &force, DryRun: m.dryRunOptions()})
	if err != nil {
		return nil, inMember(fmt.Sprintf("apply %s in the member", nameOf(object)), err)
	}
	return applied, nil
}

// find returns the object as it is in the member, nil where there is none, and an error where it is another hub's.
func (m *member) find(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	found, err := m.resource(object).Get(ctx, object.GetName(), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, inMember(fmt.Sprintf("look at %s in the member", nameOf(object)), err)
	}
	if hub, marked := found.GetLabels()[derive.LabelHub]; marked && hub != m.hubID {
		return nil, fmt.Errorf("%s in the member belongs to another hub, with ID %s: choose another identity with --service-account", nameOf(object), hub)
	}
	return found, nil
}

// mark makes the object this hub's and this agent's.
func (m *member) mark(object *unstructured.Unstructured) {
	object.SetLabels(map[string]string{derive.LabelManagedBy: derive.FieldManager, derive.LabelHub: m.hubID})
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[derive.AnnotationAgent] = m.Agent
	object.SetAnnotations(annotations)
}

// unwanted returns what earlier runs made for this agent and the objects do not hold.
func (m *member) unwanted(ctx context.Context, wanted []*unstructured.Unstructured) ([]unstructured.Unstructured, error) {
	keep := map[string]bool{}
	for _, object := range wanted {
		keep[nameOf(object)] = true
	}
	var unwanted []unstructured.Unstructured
	for _, kind := range made {
		resource, _ := meta.UnsafeGuessKindToResource(kind)
		list, err := m.client.Resource(resource).List(ctx, metav1.ListOptions{LabelSelector: derive.LabelHub + "=" + m.hubID})
		if err != nil {
			return nil, inMember(fmt.Sprintf("list %s in the member", resource.Resource), err)
		}
		for _, object := range list.Items {
			object.SetGroupVersionKind(kind)
			if object.GetAnnotations()[derive.AnnotationAgent] == m.Agent && !keep[nameOf(&object)] {
				unwanted = append(unwanted, object)
			}
		}
	}
	return unwanted, nil
}

func (m *member) remove(ctx context.Context, objects []unstructured.Unstructured) error {
	for i := range objects {
		object := &objects[i]
		uid := object.GetUID()
		err := m.resource(object).Delete(ctx, object.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, DryRun: m.dryRunOptions()})
		if err != nil && !apierrors.IsNotFound(err) {
			return inMember(fmt.Sprintf("delete %s in the member", nameOf(object)), err)
		}
		m.say("member: %s deleted", nameOf(object))
	}
	return nil
}

// nameOf is kind/name, or kind/namespace/name, as kubectl's users know it.
func nameOf(object *unstructured.Unstructured) string {
	name := object.GetName()
	if namespace := object.GetNamespace(); namespace != "" {
		name = namespace + "/" + name
	}
	return strings.ToLower(object.GetKind()) + "/" + name
}
