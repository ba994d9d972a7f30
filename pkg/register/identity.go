package register

import (
	"fmt"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"fanout/docs/manifests"
	"fanout/pkg/fanout/derive"
)

// identity is what a member needs so that fanout can work in it: the objects in the order in which they are applied.
type identity struct {
	objects []*unstructured.Unstructured
	// rules say what it may do everywhere, and writes what it may do in Options.Namespaces only.
	rules, writes []rbacv1.PolicyRule
}

// newIdentity is docs/manifests/member.yaml under the names, and with the limits, that o asks for. Its token is not in it.
func newIdentity(o *Options) (*identity, error) {
	i := &identity{}
	for _, object := range manifests.Member() {
		switch object.GetKind() {
		case "Secret": // see token.go
		case "Namespace":
			object.SetName(o.MemberNamespace)
			i.objects = append(i.objects, object)
			if o.limited() {
				for _, name := range o.Namespaces {
					namespace := object.DeepCopy()
					namespace.SetName(name)
					i.objects = append(i.objects, namespace)
				}
			}
		case "ServiceAccount":
			object.SetNamespace(o.MemberNamespace)
			object.SetName(o.ServiceAccount)
			i.objects = append(i.objects, object)
		case "ClusterRole":
			role := &rbacv1.ClusterRole{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, role); err != nil {
				return nil, err
			}
			i.rules = role.Rules
			if o.limited() {
				i.rules, i.writes = splitWrites(role.Rules)
			}
			i.objects = append(i.objects, o.clusterRole(o.roleName(), i.rules))
		case "ClusterRoleBinding":
			i.objects = append(i.objects, o.binding("ClusterRoleBinding", "", o.roleName()))
		default:
			return nil, fmt.Errorf("docs/manifests/member.yaml has a %s, which register does not know", object.GetKind())
		}
	}
	if o.limited() {
		i.objects = append(i.objects, o.clusterRole(o.writerName(), i.writes))
		for _, namespace := range o.Namespaces {
			i.objects = append(i.objects, o.binding("RoleBinding", namespace, o.writerName()))
		}
	}
	return i, nil
}

// splitWrites keeps in everywhere what only reads. What fanout does to Canaries comes into writes, and the creation of
// namespaces, which nobody can limit to some, into neither.
func splitWrites(rules []rbacv1.PolicyRule) (everywhere, writes []rbacv1.PolicyRule) {
	for _, rule := range rules {
		reads, others := rule.DeepCopy(), rule.DeepCopy()
		isRead := func(verb string) bool { return slices.Contains([]string{"get", "list", "watch"}, verb) }
		reads.Verbs = slices.DeleteFunc(reads.Verbs, func(verb string) bool { return !isRead(verb) })
		others.Verbs = slices.DeleteFunc(others.Verbs, isRead)
		if len(reads.Verbs) > 0 {
			everywhere = append(everywhere, *reads)
		}
		if len(others.Verbs) > 0 && slices.Contains(rule.Resources, derive.Canaries.Resource) {
			writes = append(writes, *others)
		}
	}
	return everywhere, writes
}

// roleName is that of the manifest where the ServiceAccount's is.
func (o *Options) roleName() string { return o.ServiceAccount + "-member" }

func (o *Options) writerName() string { return o.roleName() + "-namespaces" }

func (o *Options) clusterRole(name string, rules []rbacv1.PolicyRule) *unstructured.Unstructured {
	var listed []any
	for i := range rules {
		rule, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&rules[i])
		if err != nil {
			panic(err) // it is a struct of lists of strings
		}
		listed = append(listed, rule)
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": rbacv1.SchemeGroupVersion.String(),
		"kind":       "ClusterRole",
		"metadata":   map[string]any{"name": name},
		"rules":      listed,
	}}
}

// binding gives the ServiceAccount a ClusterRole's rights, in one namespace or in all.
func (o *Options) binding(kind, namespace, role string) *unstructured.Unstructured {
	binding := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": rbacv1.SchemeGroupVersion.String(),
		"kind":       kind,
		"metadata":   map[string]any{"name": o.roleName()},
		"roleRef":    map[string]any{"apiGroup": rbacv1.GroupName, "kind": "ClusterRole", "name": role},
		"subjects":   []any{map[string]any{"kind": "ServiceAccount", "name": o.ServiceAccount, "namespace": o.MemberNamespace}},
	}}
	if namespace != "" {
		binding.SetNamespace(namespace)
	}
	return binding
}
