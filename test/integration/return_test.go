package integration

import (
	"testing"

	"fanout/test/fixture"
)

// A member that could not be cleaned and that is registered again later, under whatever name, loses what was left there and
// is not asked for any more. What is asked for is taken up.
func TestUncleanedMemberComesBack(t *testing.T) {
	w := newWorld(t)
	member := w.members["eu-west-prod"]
	kubeconfig := member.LeastRights(t, "member.yaml", w.namespace)
	w.hub.Register(t, w.namespace, "first", kubeconfig)
	w.startFanout(t, "--deregister-timeout=2s", "--probe-period=500ms")
	w.hub.Apply(t, w.canary("wanted", "*"))
	w.hub.Apply(t, w.canary("deleted", "*"))
	w.hub.Apply(t, w.canary("only-of-the-first", "first"))
	w.expectHolders(t, "wanted", "eu-west-prod")
	w.expectHolders(t, "deleted", "eu-west-prod")
	w.expectHolders(t, "only-of-the-first", "eu-west-prod")
	wanted := member.Get(t, w.canaries, "wanted")

	w.stop(t, "eu-west-prod")
	w.hub.Deregister(t, w.namespace, "first")
	w.expectSecretEvent(t, "first", "CleanupTimedOut", "kubectl delete canaries")
	w.expectSecretGone(t, "first")
	w.hub.Delete(t, w.canaries, "deleted")
	w.start(t, "eu-west-prod")
	expectUnchanged(t, member, wanted)

	w.hub.Register(t, w.namespace, "second", kubeconfig)
	w.expectHolders(t, "deleted")
	w.expectHolders(t, "only-of-the-first")
	fixture.Eventually(t, "the copy is the second's, and the same object", func() error {
		copied := member.Get(t, w.canaries, "wanted")
		if err := fixture.Derived(copied, w.hub.Get(t, w.canaries, "wanted"), "second"); err != nil {
			return err
		}
		return fixture.Same("its UID", copied.GetUID(), wanted.GetUID())
	})
	w.expectCount(t, "eu-west-prod", 1)
}

// What was left in place on purpose is taken up when the member is registered again, and not written where it is unchanged.
func TestKeptCopiesAreTakenUp(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	member := w.members["eu-west-prod"]
	w.startFanout(t)
	for _, name := range []string{"unchanged", "edited", "deleted"} {
		w.hub.Apply(t, w.canary(name, "*"))
		w.expectDerived(t, "eu-west-prod", name)
	}
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"annotations":{"fanout.flanksource.com/on-deregister":"keep"}}}`)
	w.hub.Deregister(t, w.namespace, "eu-west-prod")
	w.expectSecretGone(t, "eu-west-prod")
	unchanged, edited := member.Get(t, w.canaries, "unchanged"), member.Get(t, w.canaries, "edited")
	w.hub.Patch(t, w.canaries, "edited", `{"spec":{"schedule":"@every 7m"}}`)
	w.hub.Delete(t, w.canaries, "deleted")
	expectUnchanged(t, member, edited)
	w.expectHolders(t, "deleted", "eu-west-prod")

	w.register(t, "eu-west-prod")
	if now := w.expectDerived(t, "eu-west-prod", "edited"); now.GetUID() != edited.GetUID() {
		t.Error("the edited copy is another one")
	}
	w.expectHolders(t, "deleted")
	expectUnchanged(t, member, unchanged)
	if writes := w.fanoutWrites(t, "eu-west-prod")["unchanged"]; len(writes) > 2 { // its creation: once refused for want of the namespace
		t.Errorf("it was written again: %v", writes)
	}
}
