// Package rights asks an API server whether somebody may do what a role says.
package rights

import (
	"context"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// Right is one thing that somebody may do or not: a verb upon a resource, or upon the one of that name; in a namespace, or,
// where that is "", in all.
type Right struct{ Verb, Group, Resource, Namespace, Name string }

// String is the right as in "create canaries.canaries.flanksource.com in namespace shop".
func (r Right) String() string {
	s := r.Verb + " " + schema.GroupResource{Group: r.Group, Resource: r.Resource}.String()
	if r.Name != "" {
		s += " " + r.Name
	}
	if r.Namespace != "" {
		s += " in namespace " + r.Namespace
	}
	return s
}

// Of returns what the rules grant in each of the namespaces.
func Of(rules []rbacv1.PolicyRule, namespaces ...string) []Right {
	var rights []Right
	for _, rule := range rules {
		names := rule.ResourceNames
		if len(names) == 0 {
			names = []string{""}
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					for _, name := range names {
						for _, namespace := range namespaces {
							rights = append(rights, Right{Verb: verb, Group: group, Resource: resource, Namespace: namespace, Name: name})
						}
					}
				}
			}
		}
	}
	return rights
}

// Self is the user as whom the client is known.
const Self = ""

// Missing returns those of the rights that a user has not. Asking about another than Self takes the right to create
// subjectaccessreviews.
func Missing(ctx context.Context, client dynamic.Interface, user string, rights []Right) ([]Right, error) {
	var missing []Right
	for _, right := range rights {
		allowed, err := may(ctx, client, user, right)
		if err != nil {
			return nil, fmt.Errorf("ask whether it is allowed to %s: %w", right, err)
		}
		if !allowed {
			missing = append(missing, right)
		}
	}
	return missing, nil
}

func may(ctx context.Context, client dynamic.Interface, user string, r Right) (bool, error) {
	kind, resource := "SelfSubjectAccessReview", "selfsubjectaccessreviews"
	spec := map[string]any{"resourceAttributes": map[string]any{
		"verb": r.Verb, "group": r.Group, "resource": r.Resource, "namespace": r.Namespace, "name": r.Name,
	}}
	if user != Self {
		kind, resource = "SubjectAccessReview", "subjectaccessreviews"
		spec["user"] = user
		spec["groups"] = []any{"system:serviceaccounts", "system:authenticated"}
	}
	reviews := client.Resource(schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: resource})
	answer, err := reviews.Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec,
	}}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	allowed, _, _ := unstructured.NestedBool(answer.Object, "status", "allowed")
	return allowed, nil
}
