package fanout

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Derive returns what agent's cluster should hold of parent: the same name (with "-local" behind it in the hub
// itself) and namespace, the spec without agentSelector, and the parent's labels and annotations without those
// that tools own or consume, with fanout's own added. It is pure: it neither changes parent nor shares
// anything mutable with it but the values of the spec, which nobody may change either.
func Derive(parent *unstructured.Unstructured, hubID, agent string) *unstructured.Unstructured {
	return derive(parent, withoutRoundTrip(parent.Object["spec"], managersOf(parent)), hubID, agent).canary
}

// derive is Derive for a parent of which plain is the spec without what canary-checker's round trip in the hub added. Members
// are sent that too, but it is no change, and nothing that a member has to hold.
func derive(parent *unstructured.Unstructured, plain any, hubID, agent string) demand {
	place := derivedKey(keyOfCanary(parent), agent)

	labels := portable(parent.GetLabels())
	labels[LabelManagedBy] = FieldManager
	labels[LabelHub] = hubID

	spec := withoutSelector(parent.Object["spec"])
	annotations := portable(parent.GetAnnotations())
	annotations[AnnotationParent] = parent.GetNamespace() + "/" + parent.GetName()
	annotations[AnnotationParentUID] = string(parent.GetUID())
	annotations[AnnotationAgent] = agent
	annotations[AnnotationFields] = fieldsOf(spec)

	derived := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	derived.SetAPIVersion(Canaries.GroupVersion().String())
	derived.SetKind(canaryKind)
	derived.SetNamespace(place.Namespace)
	derived.SetName(place.Name)
	derived.SetLabels(labels)
	if agent == LocalAgent {
		derived.SetOwnerReferences([]metav1.OwnerReference{{
			APIVersion: Canaries.GroupVersion().String(), Kind: canaryKind,
			Name: parent.GetName(), UID: parent.GetUID(),
		}})
	}
	want := demand{canary: derived, plain: withoutSelector(plain), generation: parent.GetGeneration()}
	want.hash = contentHash(labels, annotations, owner(derived), want.plain)
	want.content = want.hash
	if reduced, differs := reduceLists(want.plain); differs {
		want.content = contentHash(labels, annotations, owner(derived), reduced)
	}
	annotations[AnnotationHash] = want.hash
	annotations[AnnotationParentGeneration] = strconv.FormatInt(want.generation, 10)
	derived.SetAnnotations(annotations)
	return want
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

// contentHash identifies what fanout derives: labels, annotations, owner and spec, without the two annotations that
// only describe it. Others, where there are any, are the fields of the spec that others wrote to.
func contentHash(labels, annotations map[string]string, owner types.UID, spec any, others ...any) string {
	described := make(map[string]string, len(annotations))
	for key, value := range annotations {
		if key != AnnotationHash && key != AnnotationParentGeneration {
			described[key] = value
		}
	}
	// encoding/json sorts the keys of maps, which makes the text canonical.
	text, err := json.Marshal(append([]any{labels, described, owner, spec}, others...))
	if err != nil {
		panic(fmt.Sprintf("marshal a decoded JSON object: %v", err)) // what was decoded from JSON can be encoded
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
