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
	return sum(hashed(labels, annotations, owner, spec, others...))
}

// hashed is the text that Hash goes by.
func hashed(labels, annotations map[string]string, owner types.UID, spec any, others ...any) []byte {
	described := make(map[string]string, len(annotations))
	for key, value := range annotations {
		if key != AnnotationHash && key != AnnotationParentGeneration {
			described[key] = value
		}
	}
	// encoding/json sorts the keys of maps, which makes the text canonical.
	return mustMarshal(append([]any{labels, described, owner, spec}, others...))
}

// sum is the hash of a text, which may come in parts.
func sum(parts ...[]byte) string {
	digest := sha256.New()
	for _, part := range parts {
		digest.Write(part)
	}
	return hex.EncodeToString(digest.Sum(nil)[:16])
}

// mustMarshal marshals what was decoded from JSON, and so can be encoded.
func mustMarshal(decoded any) []byte {
	text, err := json.Marshal(decoded)
	if err != nil {
		panic(fmt.Sprintf("marshal a decoded JSON object: %v", err))
	}
	return text
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
