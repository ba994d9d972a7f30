package derive

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func aMirrored() *unstructured.Unstructured {
	parent := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"agentSelector": []any{"*"}, "schedule": "@every 30s", "replicas": int64(1), "http": []any{map[string]any{"name": "a"}},
	}}}
	parent.SetNamespace("payments")
	parent.SetName("api-health")
	parent.SetUID("1")
	parent.SetLabels(map[string]string{"team": "payments", "argocd.argoproj.io/instance": "x", LabelMirror: "y"})
	return parent
}

func TestMirror(t *testing.T) {
	mirror := Mirror(aMirrored(), "eu-west", "the-hub")
	if mirror.GetName() != "api-health.eu-west" || mirror.GetNamespace() != "payments" || mirror.GetAnnotations()["suspend"] != "true" {
		t.Errorf("%v", mirror)
	}
	spec := mirror.Object["spec"].(map[string]any)
	if len(spec) != 2 || spec["replicas"] != int64(0) || spec["schedule"] != "@every 30s" {
		t.Errorf("there is something in it to run, or to select by: %v", spec)
	}
	labels := mirror.GetLabels()
	if len(labels) != 3 || labels["team"] != "payments" || labels[LabelMirror] != "the-hub" || labels[LabelHub] != "" {
		t.Errorf("labels %v", labels)
	}
	if _, ok := MirrorPlace(types.NamespacedName{Name: strings.Repeat("a", 250)}, "eu"); !ok {
		t.Error("a name of 253 bytes is too long")
	}
	if _, ok := MirrorPlace(types.NamespacedName{Name: strings.Repeat("a", 250)}, "eu1"); ok {
		t.Error("a name of 254 bytes is not too long")
	}
}

func TestMirrorDiffers(t *testing.T) {
	want := Mirror(aMirrored(), "eu-west", "the-hub")
	for name, row := range map[string]struct {
		edit    func(*unstructured.Unstructured)
		differs bool
		extra   []string
	}{
		"the same":             {func(*unstructured.Unstructured) {}, false, nil},
		"others' metadata":     {func(m *unstructured.Unstructured) { m.SetLabels(merged(m.GetLabels(), "mine", "x")) }, false, nil},
		"runs":                 {func(m *unstructured.Unstructured) { m.Object["spec"].(map[string]any)["replicas"] = int64(1) }, true, nil},
		"without a schedule":   {func(m *unstructured.Unstructured) { delete(m.Object["spec"].(map[string]any), "schedule") }, true, nil},
		"with checks":          {func(m *unstructured.Unstructured) { m.Object["spec"].(map[string]any)["http"] = []any{} }, true, []string{"http"}},
		"another's label":      {func(m *unstructured.Unstructured) { m.SetLabels(merged(m.GetLabels(), "team", "x")) }, true, nil},
		"another's annotation": {func(m *unstructured.Unstructured) { m.SetAnnotations(merged(m.GetAnnotations(), "suspend", "false")) }, true, nil},
		"nobody's":             {func(m *unstructured.Unstructured) { m.SetOwnerReferences(nil) }, true, nil},
		"without any spec":     {func(m *unstructured.Unstructured) { delete(m.Object, "spec") }, true, nil},
		"of a parent made again": {func(m *unstructured.Unstructured) {
			m.SetAnnotations(merged(m.GetAnnotations(), AnnotationParentUID, "0"))
		}, true, nil},
	} {
		live := want.DeepCopy()
		row.edit(live)
		spec, _ := live.Object["spec"].(map[string]any)
		if differs, extra := MirrorDiffers(live, spec, want); differs != row.differs || !slices.Equal(extra, row.extra) {
			t.Errorf("%s: differs %t, extra %v", name, differs, extra)
		}
	}
}

func merged(m map[string]string, key, value string) map[string]string {
	m[key] = value
	return m
}
