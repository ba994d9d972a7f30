package derive

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// sent is a Template as JSON: the annotations up to the agent's name, from there to the hash, and what is after that.
type sent struct {
	annotations          [3]string
	labels, rest, object string
	spec                 string
}

func newSent(t *Template) sent {
	annotations := map[string]string{AnnotationAgent: "", AnnotationHash: ""}
	for key, value := range t.annotations {
		annotations[key] = value
	}
	agent := cut(mustMarshal(annotations), AnnotationAgent)
	hash := cut([]byte(agent.after), AnnotationHash)
	rest := map[string]any{"name": t.place.Name}
	if t.place.Namespace != "" {
		rest["namespace"] = t.place.Namespace
	}
	if len(t.owners) > 0 {
		rest["ownerReferences"] = t.owners
	}
	return sent{
		annotations: [3]string{agent.before, hash.before, hash.after},
		labels:      string(mustMarshal(t.labels)),
		rest:        strings.TrimSuffix(string(mustMarshal(rest)), "}"),
		object:      string(mustMarshal(map[string]string{"apiVersion": Canaries.GroupVersion().String(), "kind": Kind})),
		spec:        string(mustMarshal(t.spec)),
	}
}

// Apply is the body of a server-side apply of the copy, to the object with that UID, or to whichever where that is empty, in that version.
func (c Copy) Apply(uid types.UID, version string) []byte {
	s := &c.sent
	identity := ""
	if uid != "" {
		identity = `,"uid":` + string(mustMarshal(uid))
	}
	if version != "" {
		identity += `,"resourceVersion":` + string(mustMarshal(version))
	}
	object := strings.TrimSuffix(s.object, "}")
	return []byte(object + `,"metadata":` + s.rest + identity + `,"annotations":` + c.annotationsText() + `,"labels":` + s.labels + `},"spec":` + s.spec + `}`)
}

// IsStoredAs tells that this JSON, of an object's labels, annotations and spec, is what was sent, and so needs no closer look. Where it
// says no, the two may still mean the same.
func (c Copy) IsStoredAs(labels, annotations, spec string) bool {
	return labels == c.sent.labels && spec == c.sent.spec && annotations == c.annotationsText()
}

func (c Copy) annotationsText() string {
	return c.sent.annotations[0] + quoted(c.agent) + c.sent.annotations[1] + quoted(c.Hash) + c.sent.annotations[2]
}

// gap is a text that lacks one JSON string in its middle.
type gap struct{ before, after string }

func (g gap) filled(text string) []byte {
	return []byte(g.before + quoted(text) + g.after)
}

func quoted(text string) string { return string(mustMarshal(text)) }

// cut takes the empty value of key out of text. A text between quotes can't look like a key: its own quotes are escaped.
func cut(text []byte, key string) gap {
	before, after, _ := strings.Cut(string(text), `"`+key+`":""`)
	return gap{before: before + `"` + key + `":`, after: after}
}
