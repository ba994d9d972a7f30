package derive

import (
	"bytes"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// A Copy is what one agent's cluster should hold of a parent. The zero Copy is none.
type Copy struct {
	// Hash identifies what was derived, as AnnotationHash has it; it is never empty.
	Hash string
	// Content is the Hash of what a member holds as long as nobody but canary-checker changes it.
	Content string
	// Generation is the parent's.
	Generation int64

	*Template
	agent, quoted string // quoted is the agent as JSON
}

// A Template is what the copies of one version of a parent have in common: all but the agent's name and what follows from it. Nobody
// may change what it returns.
type Template struct {
	place               types.NamespacedName
	labels, annotations map[string]string
	owners              []metav1.OwnerReference
	spec, plain         map[string]any
	generation          int64

	// The rest is made once and used for each agent: texts with a gap where something of the agent's goes.
	hashedText, contentText gap
	sent                    sent
}

// Labels are the copy's.
func (t *Template) Labels() map[string]string { return t.labels }

// Spec is the copy's spec as it is sent. It shares its values with the parent.
func (t *Template) Spec() map[string]any { return t.spec }

// Plain is the Spec without what canary-checker's round trip in the hub added to the parent's. Members are sent that too, but
// it is no change, and nothing that a member has to hold.
func (t *Template) Plain() map[string]any { return t.plain }

// OwnerUID is the Owner of the copy.
func (t *Template) OwnerUID() types.UID {
	if len(t.owners) == 0 {
		return ""
	}
	return t.owners[0].UID
}

// prepared fills in what is made once.
func (t *Template) prepared() *Template {
	annotations := maps.Clone(t.annotations)
	annotations[AnnotationAgent] = ""
	t.hashedText = cut(hashed(t.labels, annotations, t.OwnerUID(), t.plain), AnnotationAgent)
	t.contentText = t.hashedText
	if reduced, differs := ReduceLists(t.plain); differs {
		t.contentText = cut(hashed(t.labels, annotations, t.OwnerUID(), reduced), AnnotationAgent)
	}
	t.sent = newSent(t)
	return t
}

// For is what agent's cluster should hold.
func (t *Template) For(agent string) Copy {
	c := Copy{Generation: t.generation, Template: t, agent: agent, quoted: string(mustMarshal(agent))}
	c.Hash = t.hashedText.sum(c.quoted)
	if c.Content = c.Hash; !bytes.Equal(t.contentText.after, t.hashedText.after) {
		c.Content = t.contentText.sum(c.quoted)
	}
	return c
}

// Annotations are the copy's.
func (c Copy) Annotations() map[string]string {
	annotations := maps.Clone(c.annotations)
	annotations[AnnotationAgent], annotations[AnnotationHash] = c.agent, c.Hash
	return annotations
}

// Adopted is the copy with the mark on it that its owner's wish, to hand it over, has been granted. The mark is no part of the Hash.
func (c Copy) Adopted() Copy {
	t := *c.Template
	t.annotations = maps.Clone(t.annotations)
	t.annotations[AnnotationAdopt] = "adopted"
	t.sent = newSent(&t)
	c.Template = &t
	reduced, _ := ReduceLists(t.plain)
	c.Content = Hash(t.labels, c.Annotations(), t.OwnerUID(), reduced)
	return c
}

// Canary is the copy as an object.
func (c Copy) Canary() *unstructured.Unstructured {
	canary := &unstructured.Unstructured{Object: map[string]any{"spec": c.spec}}
	canary.SetAPIVersion(Canaries.GroupVersion().String())
	canary.SetKind(Kind)
	canary.SetNamespace(c.place.Namespace)
	canary.SetName(c.place.Name)
	canary.SetLabels(c.labels)
	canary.SetAnnotations(c.Annotations())
	if len(c.owners) > 0 {
		canary.SetOwnerReferences(slices.Clone(c.owners))
	}
	return canary
}
