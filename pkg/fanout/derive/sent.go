package derive

import (
	"bytes"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// sent is a Template as JSON.
type sent struct {
	head         string    // up to where the object's identity goes
	annotations  [3]string // up to the agent's name, from there to the hash, and what is after that
	labels, spec string
}

func newSent(t *Template) sent {
	annotations := map[string]string{AnnotationAgent: "", AnnotationHash: ""}
	for key, value := range t.annotations {
		annotations[key] = value
	}
	agent := cut(mustMarshal(annotations), AnnotationAgent)
	hash := cut(agent.after, AnnotationHash)
	metadata := map[string]any{"name": t.place.Name}
	if t.place.Namespace != "" {
		metadata["namespace"] = t.place.Namespace
	}
	if len(t.owners) > 0 {
		metadata["ownerReferences"] = t.owners
	}
	object := mustMarshal(map[string]string{"apiVersion": Canaries.GroupVersion().String(), "kind": Kind})
	return sent{
		head:        strings.TrimSuffix(string(object), "}") + `,"metadata":` + strings.TrimSuffix(string(mustMarshal(metadata)), "}"),
		annotations: [3]string{string(agent.before), string(hash.before) + `"`, `"` + string(hash.after)},
		labels:      string(mustMarshal(t.labels)),
		spec:        string(mustMarshal(t.spec)),
	}
}

// Apply is the body of a server-side apply of the copy, to the object with that UID, or to whichever where that is empty, in that version.
func (c Copy) Apply(uid types.UID, version string) []byte {
	parts := []string{c.sent.head}
	if uid != "" {
		parts = append(parts, `,"uid":`, string(mustMarshal(uid)))
	}
	if version != "" {
		parts = append(parts, `,"resourceVersion":`, string(mustMarshal(version)))
	}
	annotations := c.annotationsText()
	parts = append(append(parts, `,"annotations":`), annotations[:]...)
	parts = append(parts, `,"labels":`, c.sent.labels, `},"spec":`, c.sent.spec, `}`)
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	body := make([]byte, 0, size)
	for _, part := range parts {
		body = append(body, part...)
	}
	return body
}

// IsStoredAs tells that this JSON, of an object's labels, annotations and spec, is what was sent, and so needs no closer look. Where it
// says no, the two may still mean the same.
func (c Copy) IsStoredAs(labels, annotations, spec string) bool {
	if labels != c.sent.labels || spec != c.sent.spec {
		return false
	}
	for _, part := range c.annotationsText() {
		rest, ok := strings.CutPrefix(annotations, part)
		if !ok {
			return false
		}
		annotations = rest
	}
	return annotations == ""
}

// annotationsText is the annotations as JSON, in parts. A hash has nothing in it that JSON escapes.
func (c Copy) annotationsText() [5]string {
	return [5]string{c.sent.annotations[0], c.quoted, c.sent.annotations[1], c.Hash, c.sent.annotations[2]}
}

// gap is a text that lacks one JSON string in its middle.
type gap struct{ before, after []byte }

// sum is the hash of the text with that JSON in the gap.
func (g gap) sum(quoted string) string { return sum(g.before, []byte(quoted), g.after) }

// cut takes the empty value of key out of text. A text between quotes can't look like a key: its own quotes are escaped.
func cut(text []byte, key string) gap {
	key = `"` + key + `":`
	before, after, _ := bytes.Cut(text, []byte(key+`""`))
	return gap{before: slices.Concat(before, []byte(key)), after: after}
}
