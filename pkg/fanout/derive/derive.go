package derive

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// For returns what agent's cluster should hold of parent: the same name (with "-local" behind it in the hub itself) and namespace,
// the spec without agentSelector, and the parent's labels and annotations without those that tools own or consume, with
// fanout's own added. Plain is parent's spec WithoutRoundTrip. It is pure: it does not change its arguments.
func For(parent *unstructured.Unstructured, plain any, hubID, agent string) Copy {
	return NewTemplate(parent, plain, hubID, agent == LocalAgent).For(agent)
}

// NewTemplate derives what For returns but for the agent, for the hub itself or for all members.
func NewTemplate(parent *unstructured.Unstructured, plain any, hubID string, local bool) *Template {
	labels := portable(parent.GetLabels())
	labels[LabelManagedBy] = FieldManager
	labels[LabelHub] = hubID

	spec := withoutSelector(parent.Object["spec"])
	annotations := portable(parent.GetAnnotations())
	annotations[AnnotationParent] = parent.GetNamespace() + "/" + parent.GetName()
	annotations[AnnotationParentUID] = string(parent.GetUID())
	annotations[AnnotationFields] = strings.Join(slices.Sorted(maps.Keys(spec)), ",")
	annotations[AnnotationParentGeneration] = strconv.FormatInt(parent.GetGeneration(), 10)

	t := &Template{
		place: KeyOf(parent), labels: labels, annotations: annotations,
		spec: spec, plain: withoutSelector(plain), generation: parent.GetGeneration(),
	}
	if local {
		t.place = Place(t.place, LocalAgent)
		t.owners = []metav1.OwnerReference{{
			APIVersion: Canaries.GroupVersion().String(), Kind: Kind,
			Name: parent.GetName(), UID: parent.GetUID(),
		}}
	}
	return t.prepared()
}

// withoutSelector returns a copy of a parent's spec without what only the hub reads in it.
func withoutSelector(spec any) map[string]any {
	fields, _ := spec.(map[string]any)
	fields = maps.Clone(fields)
	if fields == nil {
		fields = map[string]any{}
	}
	delete(fields, "agentSelector")
	return fields
}

// portable returns a copy of a parent's labels or annotations without those that mean something only where the
// parent stands: a derived Canary that carried Argo CD's, Helm's or Flux's marks would be theirs to prune, and
// canary-checker's next-runtime, which a member's canary-checker removes after it ran once, would run for ever.
func portable(metadata map[string]string) map[string]string {
	kept := make(map[string]string, len(metadata)+4)
	for key, value := range metadata {
		if !belongsToTool(key) {
			kept[key] = value
		}
	}
	return kept
}

func belongsToTool(key string) bool {
	switch key {
	case "app.kubernetes.io/instance", LabelManagedBy:
		return true
	}
	domain, name, qualified := strings.Cut(key, "/")
	if !qualified {
		return key == nextRuntime
	}
	switch domain {
	case "kubectl.kubernetes.io", "argocd.argoproj.io", "meta.helm.sh", "helm.sh", "config.kubernetes.io", "fanout.flanksource.com":
		return true
	}
	return name == nextRuntime || strings.HasSuffix(domain, ".toolkit.fluxcd.io")
}

// nextRuntime is the name of canary-checker's annotation that asks for one run at a given time.
const nextRuntime = "next-runtime"
