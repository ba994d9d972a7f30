package derive

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

func TestPlacesOfDerivedCanaries(t *testing.T) {
	for _, row := range []struct{ name, parent, agent, derived string }{
		{"in a member it has its parent's place", "api", member1, "api"},
		{"in the hub that place is taken", "api", LocalAgent, "api-local"},
		{"a parent may be named like a copy", "api-local", LocalAgent, "api-local-local"},
		{"only the hub itself is local", "api-local", member1, "api-local"},
	} {
		t.Run(row.name, func(t *testing.T) {
			mustEqual(t, "derived", Place(at(row.parent), row.agent), at(row.derived))
			key, ok := ParentOf(at(row.derived), row.agent)
			if !ok || key != at(row.parent) {
				t.Errorf("ParentOf: %v, %t", key, ok)
			}
		})
	}
}

func TestNoParentIsBehindWhatCannotBeDerived(t *testing.T) {
	for _, name := range []string{"api", "-local", "local", "api-LOCAL", "api-local-2"} {
		if key, ok := ParentOf(at(name), LocalAgent); ok {
			t.Errorf("%s in the hub would be derived from %v", name, key)
		}
	}
}

func TestDerivedKeyAndParentKeyAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := types.NamespacedName{
			Namespace: rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "namespace"),
			Name:      rapid.StringMatching(`[a-z]{1,5}(-local){0,2}`).Draw(t, "name"),
		}
		agent := rapid.SampledFrom([]string{member1, LocalAgent}).Draw(t, "agent")
		if back, ok := ParentOf(Place(key, agent), agent); !ok || back != key {
			t.Fatalf("the parent of %v is %v, %t", Place(key, agent), back, ok)
		}
		if parent, ok := ParentOf(key, agent); ok && Place(parent, agent) != key {
			t.Fatalf("what is derived from %v stands at %v", parent, Place(parent, agent))
		}
	})
}
