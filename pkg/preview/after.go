package preview

import (
	"encoding/json"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"sigs.k8s.io/yaml"

	"fanout/pkg/fanout/derive"
)

// After is what stands in a place when wanted is applied to what stands there now: what others added stays, and what the copy was before
// and is no more goes.
func After(now map[string]any, wanted, was *unstructured.Unstructured) map[string]any {
	if was == nil {
		was = wanted
	}
	patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(marshal(content(was.Object)), marshal(content(wanted.Object)), marshal(content(now)))
	if err != nil {
		return wanted.Object
	}
	merged, err := jsonpatch.MergePatch(marshal(content(now)), patch)
	if err != nil {
		return wanted.Object
	}
	after := map[string]any{}
	if json.Unmarshal(merged, &after) != nil {
		return wanted.Object
	}
	fields, _ := now["metadata"].(map[string]any)
	annotations, _ := fields["annotations"].(map[string]any)
	set, _ := annotations[derive.AnnotationFields].(string)
	spec, _ := after["spec"].(map[string]any)
	asked, _ := wanted.Object["spec"].(map[string]any)
	for field := range strings.SplitSeq(set, ",") {
		if _, still := asked[field]; !still {
			delete(spec, field)
		}
	}
	return after
}

// bookkeeping are annotations that change with each version of the parent and mean nothing to whoever runs the copy.
var bookkeeping = []string{derive.AnnotationHash, derive.AnnotationFields, derive.AnnotationParentGeneration, derive.AnnotationParentUID}

// content is what of a copy counts: its labels, annotations and spec.
func content(object map[string]any) map[string]any {
	metadata, _ := object["metadata"].(map[string]any)
	kept := map[string]any{}
	if labels, ok := metadata["labels"].(map[string]any); ok && len(labels) > 0 {
		kept["labels"] = labels
	}
	if annotations, ok := metadata["annotations"].(map[string]any); ok {
		shown := map[string]any{}
		for key, value := range annotations {
			shown[key] = value
		}
		for _, key := range bookkeeping {
			delete(shown, key)
		}
		kept["annotations"] = shown
	}
	counts := map[string]any{"metadata": kept}
	if spec, ok := object["spec"]; ok {
		counts["spec"] = spec
	}
	return counts
}

// lines is what counts of a copy as YAML, without what canary-checker's round trip adds to it.
func lines(object map[string]any) []string {
	var counts map[string]any
	if json.Unmarshal(marshal(content(object)), &counts) != nil {
		return nil
	}
	spec, _ := derive.ReduceLists(counts["spec"])
	counts["spec"] = spec
	text, err := yaml.Marshal(counts)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func marshal(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		return []byte("{}")
	}
	return text
}
