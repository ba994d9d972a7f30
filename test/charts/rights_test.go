package charts

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"fanout/docs/manifests"
	"fanout/pkg/rights"
)

// What the chart grants and to whom is what docs/manifests/hub.yaml has, with which the integration tests run.
func TestRightsAreThoseOfTheManifest(t *testing.T) {
	r := render(t, "fanout", system, "")
	compared := 0
	for _, object := range manifests.Hub() {
		into := func(typed any) {
			compared++
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed); err != nil {
				t.Fatal(err)
			}
		}
		switch object.GetKind() {
		case "ServiceAccount":
			var want corev1.ServiceAccount
			into(&want)
			same(t, object.GetKind(), one[*corev1.ServiceAccount](t, r).Name, want.Name)
		case "ClusterRole":
			var want rbacv1.ClusterRole
			into(&want)
			got := one[*rbacv1.ClusterRole](t, r)
			got.Labels = nil
			same(t, object.GetKind(), *got, want)
		case "ClusterRoleBinding":
			var want rbacv1.ClusterRoleBinding
			into(&want)
			got := one[*rbacv1.ClusterRoleBinding](t, r)
			got.Labels = nil
			same(t, object.GetKind(), *got, want)
		case "Role":
			var want rbacv1.Role
			into(&want)
			got := one[*rbacv1.Role](t, r)
			got.Labels = nil
			same(t, object.GetKind(), *got, want)
		case "RoleBinding":
			var want rbacv1.RoleBinding
			into(&want)
			got := one[*rbacv1.RoleBinding](t, r)
			got.Labels = nil
			same(t, object.GetKind(), *got, want)
		}
	}
	if compared != 5 {
		t.Errorf("the manifest has %d objects to compare with, not 5", compared)
	}
}

// With Cluster API's Secrets it grants what docs/manifests/hub-capi.yaml has, too, and with the page for everyone what hub-page.yaml has.
func TestRightsForMoreAreThoseOfTheManifests(t *testing.T) {
	for values, more := range map[string][]*unstructured.Unstructured{
		"registration: [native, capi]":                                  manifests.HubClusterAPI(),
		"page: {service: {enabled: true}, tls: {secretName: page-tls}}": manifests.HubPage(),
		"page: {proxy: {userHeader: X-Forwarded-User}}":                 manifests.HubPage(),
	} {
		t.Run(values, func(t *testing.T) { rightsAre(t, values, append(manifests.Hub(), more...)) })
	}
}

func rightsAre(t *testing.T, values string, objects []*unstructured.Unstructured) {
	r := render(t, "fanout", system, values)
	wanted := map[string][]rbacv1.PolicyRule{}
	for _, object := range objects {
		if kind := object.GetKind(); kind == "Role" || kind == "ClusterRole" {
			var role rbacv1.Role
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &role); err != nil {
				t.Fatal(err)
			}
			wanted[kind] = append(wanted[kind], role.Rules...)
		}
	}
	same(t, "ClusterRole", one[*rbacv1.ClusterRole](t, r).Rules, wanted["ClusterRole"])
	same(t, "Role", one[*rbacv1.Role](t, r).Rules, wanted["Role"])
}

// The Job after an uninstall may do nothing that the controller may not.
func TestReleaseHasNoMoreRights(t *testing.T) {
	r := render(t, "fanout", system, "")
	roles := hooks[*rbacv1.Role](r)
	clusterRoles := hooks[*rbacv1.ClusterRole](r)
	if len(roles) != 1 || len(clusterRoles) != 1 {
		t.Fatalf("%d Roles and %d ClusterRoles", len(roles), len(clusterRoles))
	}
	allowed := append(rights.Of(one[*rbacv1.Role](t, r).Rules, system), rights.Of(one[*rbacv1.ClusterRole](t, r).Rules, "")...)
	for _, right := range append(rights.Of(roles[0].Rules, system), rights.Of(clusterRoles[0].Rules, "")...) {
		unnamed := right
		unnamed.Name = ""
		if !slices.Contains(allowed, right) && !slices.Contains(allowed, unnamed) {
			t.Errorf("it may %v, and the controller may not", right)
		}
	}
}
