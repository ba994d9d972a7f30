package member

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/fanout/fanouttest"
)

// heldCopy is a deleted copy that a finalizer holds.
func heldCopy(name string, version int) string {
	copied := copyFor(aParent(), thisHub, member1)
	copied.SetName(name)
	withUID("copy")(copied)
	withVersion(version)(copied)
	beingDeleted(copied)
	copied.SetFinalizers([]string{"example.com/hold"})
	text, err := copied.MarshalJSON()
	if err != nil {
		panic(err)
	}
	return string(text)
}

func canaryOf(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	canary := &unstructured.Unstructured{}
	must(t, canary.UnmarshalJSON([]byte(text)))
	return canary
}

func TestAHeldCopyIsAwaitedAndReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := work(t, &aHub{parent: aParent()}, func(*fanouttest.Call) string { return heldCopy("api-health", 2) })
		defer b.stop()
		b.view.update(seen(canaryOf(t, heldCopy("api-health", 2))))
		pass(terminatingGrace - time.Millisecond)
		mustEqual(t, "asked within the grace", b.server.Asked(), nil)
		pass(time.Hour / 2)      // before the orphan sweep, which would bring a list
		b.Look(at("api-health")) // as a resync does
		synctest.Wait()
		mustEqual(t, "asked", b.server.Asked(), []string{"GET " + placeURL, "GET " + placeURL})
		mustEqual(t, "warned", b.warned, []string{"Terminating api-health"})
	})
}

func TestACopyThatGoesInTimeIsNotReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := work(t, &aHub{}, func(*fanouttest.Call) string { return heldCopy("api-health", 2) })
		defer b.stop()
		for version := 2; version < 10; version += 2 { // each time anew
			b.view.update(seen(canaryOf(t, heldCopy("api-health", version))))
			pass(terminatingGrace - time.Millisecond)
			b.view.remove(seen(canaryOf(t, heldCopy("api-health", version+1))))
			pass(time.Second)
		}
		mustEqual(t, "asked", b.server.Asked(), nil)
		mustEqual(t, "warned", b.warned, nil)
		mustEqual(t, "awaited", len(b.view.awaited()), 0)
	})
}

func TestTheMembersOwnerIsToldOfHeldOrphansNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := work(t, &aHub{}, func(call *fanouttest.Call) string {
			return heldCopy(call.Path[strings.LastIndex(call.Path, "/")+1:], 2)
		})
		defer b.stop()
		var told []string
		b.warnOwner = func(reason, message string) { told = append(told, reason+": "+message) }
		for _, name := range []string{"one", "two", "three"} {
			b.view.update(seen(canaryOf(t, heldCopy(name, 2))))
		}
		pass(ownerPeriod)
		mustEqual(t, "times told", len(told), 1)
		for _, part := range []string{"Terminating: 2 other Canaries", "payments/", "(example.com/hold)"} {
			if !strings.Contains(told[0], part) {
				t.Errorf("%q does not say %q", told[0], part)
			}
		}
		pass(time.Minute)
		b.Look(at("one"))
		synctest.Wait()
		mustEqual(t, "times told", len(told), 2)
	})
}
