package simulator

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/hack/canarychecker/standin"
)

// takenIn is what canary-checker makes of objects of one shape when it takes them in.
type takenIn struct {
	spec, finalizers []byte
	managed          []managedEntry // without times
}

// Check has canary-checker take in each Canary that it has not yet, in each member: by its finalizer and a round trip of the spec.
func (s *Simulator) Check() {
	known := map[*shape]*takenIn{}
	for _, m := range s.members {
		m.check(known)
	}
}

func (m *member) check(known map[*shape]*takenIn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, live := range m.inOrder() {
		if len(live.finalizers) > 0 || live.deleted != "" {
			continue
		}
		made := known[live.alone]
		if made == nil || live.alone == nil || len(live.managed) > 1 {
			made = m.takeIn(live)
			if live.alone != nil && len(live.managed) == 1 {
				known[live.alone] = made
			}
		}
		next := *live
		next.alone = nil
		next.spec, next.finalizers, next.managed = made.spec, made.finalizers, slices.Clone(made.managed)
		for i := range next.managed {
			next.managed[i].time = now()
		}
		if string(next.spec) != string(live.spec) {
			next.generation++
		}
		m.commit(live, &next)
	}
}

// takeIn does as Kubernetes' own library says.
func (m *member) takeIn(live *object) *takenIn {
	before := live.unstructured()
	after := before.DeepCopy()
	after.SetFinalizers([]string{standin.Finalizer})
	if spec, ok := after.Object["spec"].(map[string]any); ok {
		after.Object["spec"] = standin.RoundTrip(spec)
	}
	result := m.fromUnstructured(m.schema.fields.UpdateNoErrors(before, after, standin.Manager).(*unstructured.Unstructured))
	return &takenIn{spec: result.spec, finalizers: result.finalizers, managed: result.managed}
}
