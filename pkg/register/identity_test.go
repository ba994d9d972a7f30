package register

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/docs/manifests"
	"fanout/pkg/rights"
)

func names(objects []*unstructured.Unstructured) []string {
	var names []string
	for _, object := range objects {
		names = append(names, nameOf(object))
	}
	return names
}

// What is registered as the documentation says is the documented manifest, its token aside.
func TestTheIdentityIsTheDocumentedOne(t *testing.T) {
	i, err := newIdentity(&Options{MemberNamespace: "fanout-system", ServiceAccount: "fanout"})
	if err != nil {
		t.Fatal(err)
	}
	documented := slices.DeleteFunc(manifests.Member(), func(object *unstructured.Unstructured) bool { return object.GetKind() == "Secret" })
	if difference := cmp.Diff(documented, i.objects); difference != "" {
		t.Errorf("documented (-) and registered (+):\n%s", difference)
	}
	if len(i.objects) != 4 || len(i.writes) != 0 {
		t.Errorf("%q, and %v", names(i.objects), i.writes)
	}
}

func TestALimitedIdentity(t *testing.T) {
	o := &Options{MemberNamespace: "agents", ServiceAccount: "hub-2", Namespaces: []string{"shop", "payments"}}
	i, err := newIdentity(o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"namespace/agents", "namespace/shop", "namespace/payments", "serviceaccount/agents/hub-2",
		"clusterrole/hub-2-member", "clusterrolebinding/hub-2-member",
		"clusterrole/hub-2-member-namespaces", "rolebinding/shop/hub-2-member", "rolebinding/payments/hub-2-member",
	}
	if difference := cmp.Diff(want, names(i.objects)); difference != "" {
		t.Errorf("-want +got:\n%s", difference)
	}
	for _, right := range rights.Of(i.rules, "") {
		if !slices.Contains([]string{"get", "list", "watch"}, right.Verb) {
			t.Errorf("it may %s everywhere", right)
		}
	}
	for _, right := range rights.Of(i.writes, o.Namespaces...) {
		if right.Resource != "canaries" || !slices.Contains([]string{"create", "patch", "delete"}, right.Verb) {
			t.Errorf("it may %s", right)
		}
	}
	if got := len(rights.Of(i.writes, o.Namespaces...)); got != 6 {
		t.Errorf("it has %d rights to write, not three in each of two namespaces", got)
	}
}

func TestEveryNamespaceIsNoLimit(t *testing.T) {
	for _, namespaces := range [][]string{nil, {"*"}} {
		i, err := newIdentity(&Options{MemberNamespace: "fanout-system", ServiceAccount: "fanout", Namespaces: namespaces})
		if err != nil || len(i.objects) != 4 {
			t.Errorf("%q: %q, %v", namespaces, names(i.objects), err)
		}
	}
}
