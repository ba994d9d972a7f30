package derive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Hash identifies what fanout derives: labels, annotations, owner and spec, without the two annotations that
// only describe it. Others, where there are any, are the fields of the spec that others wrote to.
func Hash(labels, annotations map[string]string, owner types.UID, spec any, others ...any) string {
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

// Owner is the UID of the Canary that owns obj, as a parent owns its copy in the hub, empty where none does.
func Owner(obj *unstructured.Unstructured) types.UID {
	for _, reference := range obj.GetOwnerReferences() {
		if reference.Kind == Kind && reference.APIVersion == Canaries.GroupVersion().String() {
			return reference.UID
		}
	}
	return ""
}
