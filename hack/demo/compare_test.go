package main

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

// A demo that can't fail shows nothing.
func TestCopyFaultNoticesWhatIsNotAsItShouldBe(t *testing.T) {
	s := newStage("")
	s.hubID = "hub-id"
	s.parent = &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(check), &s.parent.Object); err != nil {
		t.Fatal(err)
	}
	held := func(uid types.UID, version string, change ...func(*unstructured.Unstructured)) *unstructured.Unstructured {
		canary := s.derived(euWest)
		canary.SetUID(uid)
		canary.SetResourceVersion(version)
		for _, do := range change {
			do(canary)
		}
		return canary
	}
	broken := func(c *unstructured.Unstructured) { unstructured.RemoveNestedField(c.Object, "spec", "http") }
	selecting := func(c *unstructured.Unstructured) {
		_ = unstructured.SetNestedStringSlice(c.Object, []string{"*"}, "spec", "agentSelector")
	}
	byChecker := func(c *unstructured.Unstructured) {
		c.SetFinalizers([]string{"canary.canaries.flanksource.com"})
		c.Object["spec"].(map[string]any)["http"].([]any)[0].(map[string]any)["display"] = map[string]any{}
		c.Object["status"] = map[string]any{"status": "Passed"}
	}
	unowned := func(c *unstructured.Unstructured) { c.SetLabels(nil) }
	ofAnother := func(c *unstructured.Unstructured) { c.SetAnnotations(s.derived(usEast).GetAnnotations()) }

	for name, test := range map[string]struct {
		fate         fate
		before, held *unstructured.Unstructured
		right        bool
	}{
		"nothing, as before":           {untouched, nil, nil, true},
		"the same":                     {untouched, held("a", "1"), held("a", "1"), true},
		"written by canary-checker":    {untouched, held("a", "1"), held("a", "2", byChecker), true},
		"written without need":         {untouched, held("a", "1", byChecker), held("a", "2", byChecker, unowned), false},
		"broken":                       {untouched, held("a", "1"), held("a", "2", broken), false},
		"appeared":                     {untouched, nil, held("a", "1"), false},
		"disappeared":                  {untouched, held("a", "1"), nil, false},
		"created":                      {created, nil, held("a", "1"), true},
		"not created":                  {created, nil, nil, false},
		"created, and run":             {created, nil, held("a", "1", byChecker), true},
		"created with its selector":    {created, nil, held("a", "1", selecting), false},
		"created without its owner":    {created, nil, held("a", "1", unowned), false},
		"created for another agent":    {created, nil, held("a", "1", ofAnother), false},
		"created, but it was there":    {created, held("a", "1"), held("a", "2"), false},
		"updated":                      {updated, held("a", "1", broken), held("a", "2"), true},
		"updated, but by a new object": {updated, held("a", "1"), held("b", "2"), false},
		"restored":                     {restored, held("a", "1"), held("a", "3"), true},
		"not yet broken":               {restored, held("a", "1"), held("a", "1"), false},
		"still broken":                 {restored, held("a", "1"), held("a", "2", broken), false},
		"recreated":                    {recreated, held("a", "1"), held("b", "2"), true},
		"not yet deleted":              {recreated, held("a", "1"), held("a", "1"), false},
		"removed":                      {removed, held("a", "1"), nil, true},
		"still there":                  {removed, held("a", "1"), held("a", "1"), false},
	} {
		if fault := s.copyFault(euWest, test.fate, test.before, test.held); (fault == "") != test.right {
			t.Errorf("%s: expected %q", name, fault)
		}
	}
}
