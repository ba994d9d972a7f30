package fanouttest

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"
)

// ours is the prefix of fanout's own marks.
const ours = "fanout.flanksource.com/"

// OverTheWire is c after a journey as JSON.
func OverTheWire(t rapid.TB, c *unstructured.Unstructured) *unstructured.Unstructured {
	text, err := c.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	received := &unstructured.Unstructured{}
	if err := received.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	return received
}

// DrawParent draws a parent with what its owner and tools may put into it.
func DrawParent(t *rapid.T) *unstructured.Unstructured {
	key := rapid.OneOf(
		rapid.SampledFrom([]string{
			"kubectl.kubernetes.io/last-applied-configuration", "argocd.argoproj.io/tracking-id", "meta.helm.sh/release-name", "helm.sh/chart",
			"kustomize.toolkit.fluxcd.io/name", "config.kubernetes.io/origin", "app.kubernetes.io/instance", "app.kubernetes.io/managed-by",
			"app.kubernetes.io/name", "next-runtime", "canaries.flanksource.com/next-runtime", ours + "hub", ours + "hash", ours + "adopt",
			ours + "parent", ours + "parent-generation", "toolkit.fluxcd.io/x",
		}),
		rapid.StringMatching(`([a-c]{1,3}\.(io|helm\.sh|kubernetes\.io)/)?[a-c]{1,4}`),
	)
	metadata := rapid.MapOfN(key, rapid.StringMatching(`[a-zA-Z0-9<>&"\\ é.-]{0,8}`), 0, 6)
	parent := &unstructured.Unstructured{Object: map[string]any{"spec": drawObject(t, 3)}}
	parent.SetNamespace(rapid.SampledFrom([]string{"payments", "orders"}).Draw(t, "namespace"))
	parent.SetName(rapid.StringMatching(`[a-z]{1,5}(-local)?`).Draw(t, "name"))
	parent.SetUID("uid")
	parent.SetGeneration(rapid.Int64Range(1, 9).Draw(t, "generation"))
	parent.SetLabels(metadata.Draw(t, "labels"))
	parent.SetAnnotations(metadata.Draw(t, "annotations"))
	if rapid.Bool().Draw(t, "selects") {
		WithSelector([]any{"*"})(parent)
	}
	parent.SetAPIVersion("canaries.flanksource.com/v1")
	parent.SetKind("Canary")
	return OverTheWire(t, parent) // every Canary comes out of JSON
}

func drawObject(t *rapid.T, depth int) map[string]any {
	fields := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "http", "agentSelector", "url", "<&>"}), 0, 4, rapid.ID).Draw(t, "fields")
	object := map[string]any{}
	for _, field := range fields {
		object[field] = drawValue(t, depth-1)
	}
	return object
}

func drawValue(t *rapid.T, depth int) any {
	kinds := 5
	if depth > 0 {
		kinds = 7
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Int64().Draw(t, "int")
	case 3:
		return rapid.Float64().Draw(t, "float")
	case 4:
		return rapid.StringN(0, 6, -1).Draw(t, "text")
	case 5:
		list := make([]any, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range list {
			list[i] = drawValue(t, depth-1)
		}
		return list
	default:
		return drawObject(t, depth)
	}
}
