package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/hack/canarychecker/standin"
	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
)

const checkKey = checksNamespace + "/" + checkName

// differences compares all that the clusters hold with what step should leave there. What a step does not name must be the same
// object as before, in which nobody but canary-checker has written anything.
func (s *stage) differences(step step, seen sight) differences {
	wrong := append(s.inHub(seen), s.inStatus(step, seen)...)
	for _, member := range s.members {
		before, held := s.lastCanaries[member.name], seen.canaries[member.name]
		fate, ok := step.fates[member.name]
		if !ok {
			fate = untouched
		}
		if expected := s.copyFault(member.name, fate, before[checkKey], held[checkKey]); expected != "" {
			wrong = append(wrong, difference{member.name, expected, describe(held[checkKey])})
		}
		for _, key := range keys(before, held) {
			if key != checkKey && !sameButForChecker(before[key], held[key]) {
				wrong = append(wrong, difference{member.name, describe(before[key]) + ", which is none of fanout's business", describe(held[key])})
			}
		}
	}
	return wrong
}

// inHub compares what stands there: the Canary as it was written, nothing derived from it, and a held Secret for each member.
func (s *stage) inHub(seen sight) (wrong differences) {
	for _, key := range keys(seen.canaries[hubName], objects{checkKey: s.parent}) {
		var expected *unstructured.Unstructured
		if key == checkKey {
			expected = s.parent
		}
		if found := seen.canaries[hubName][key]; !sameButForChecker(expected, found) {
			wrong = append(wrong, difference{hubName, describe(expected), describe(found)})
		}
	}
	for member := range s.registered {
		secret := seen.secrets[membersNamespace+"/"+member]
		if secret == nil || !slices.Contains(secret.GetFinalizers(), clusters.Finalizer) || secret.GetDeletionTimestamp() != nil {
			wrong = append(wrong, difference{hubName, "Secret " + member + ", held by fanout's finalizer", describeSecret(secret)})
		}
	}
	for _, secret := range seen.secrets {
		if !s.registered[secret.GetName()] {
			wrong = append(wrong, difference{hubName, "no Secret " + secret.GetName(), describeSecret(secret)})
		}
	}
	return wrong
}

// copyFault says what was expected of a member's copy, if that is not what is held.
func (s *stage) copyFault(member string, fate fate, before, held *unstructured.Unstructured) (expected string) {
	switch fate {
	case untouched:
		if !sameButForChecker(before, held) {
			return describe(before) + ", unchanged"
		}
		return ""
	case removed:
		if held != nil {
			return "nothing"
		}
		return ""
	}
	want := s.derived(member)
	if !sameContent(want, held) {
		return fmt.Sprintf("%s: %s", fate, describe(want))
	}
	isNew := before == nil || before.GetUID() != held.GetUID()
	switch {
	case isNew != (fate == created || fate == recreated):
		return fmt.Sprintf("%s, where before was %s", fate, describe(before))
	case !isNew && sameVersion(before, held):
		return fmt.Sprintf("%s, but it was not written", fate)
	}
	return ""
}

// derived is what a member's copy should be, put together here anew so that fanout is not measured by itself.
func (s *stage) derived(member string) *unstructured.Unstructured {
	want := s.parent.DeepCopy()
	unstructured.RemoveNestedField(want.Object, "spec", "agentSelector")
	labels := map[string]string{derive.LabelManagedBy: "fanout", derive.LabelHub: s.hubID}
	maps.Copy(labels, s.parent.GetLabels())
	want.SetLabels(labels)
	want.SetAnnotations(map[string]string{derive.AnnotationParent: checkKey, derive.AnnotationAgent: member})
	want.SetUID("")
	want.SetResourceVersion("")
	return want
}

// sameContent tells whether found has want's spec and labels, and its annotations among others.
func sameContent(want, found *unstructured.Unstructured) bool {
	if found == nil || found.GetDeletionTimestamp() != nil ||
		!sameSpec(want, found) || !maps.Equal(want.GetLabels(), found.GetLabels()) {
		return false
	}
	annotations := found.GetAnnotations()
	for key, value := range want.GetAnnotations() {
		if annotations[key] != value {
			return false
		}
	}
	return true
}

func sameVersion(a, b *unstructured.Unstructured) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.GetUID() == b.GetUID() && a.GetResourceVersion() == b.GetResourceVersion()
}

// sameButForChecker tells whether they are one object in which nothing is other than before but what canary-checker writes: its
// finalizer, the status, and the empty objects that it adds to a spec. That fanout did not write the same again is for the audit
// log to say.
func sameButForChecker(a, b *unstructured.Unstructured) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.GetUID() == b.GetUID() && sameSpec(a, b) && maps.Equal(a.GetLabels(), b.GetLabels()) && maps.Equal(a.GetAnnotations(), b.GetAnnotations()) &&
		(a.GetDeletionTimestamp() == nil) == (b.GetDeletionTimestamp() == nil)
}

func sameSpec(a, b *unstructured.Unstructured) bool {
	return reflect.DeepEqual(standin.WithoutZeros(a.Object["spec"]), standin.WithoutZeros(b.Object["spec"]))
}

// keys are those that a or b has, in order.
func keys(a, b objects) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func describe(canary *unstructured.Unstructured) string {
	if canary == nil {
		return "nothing"
	}
	spec, err := json.Marshal(canary.Object["spec"])
	if err != nil {
		return err.Error()
	}
	which := ""
	if canary.GetUID() != "" {
		which = fmt.Sprintf(", uid %s, resourceVersion %s", canary.GetUID(), canary.GetResourceVersion())
	}
	if canary.GetDeletionTimestamp() != nil {
		which += ", terminating"
	}
	return fmt.Sprintf("%s (agent %q, labels %v%s) %s", keyOf(canary),
		canary.GetAnnotations()[derive.AnnotationAgent], canary.GetLabels(), which, spec)
}

func describeSecret(secret *unstructured.Unstructured) string {
	if secret == nil {
		return "no Secret"
	}
	return fmt.Sprintf("Secret %s (finalizers %v, terminating: %v)", secret.GetName(), secret.GetFinalizers(), secret.GetDeletionTimestamp() != nil)
}
