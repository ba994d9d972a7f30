package member

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"fanout/pkg/fanout/derive"
)

// copyOf is a derived Canary of that name at a version.
func copyOf(name string, version int) *unstructured.Unstructured {
	c := copyFor(aParent(func(c *unstructured.Unstructured) { c.SetName(name) }), thisHub, member1)
	withVersion(version)(c)
	return c
}

// aView is a view that notes whom it told of what.
func aView() (v *view, told func() []string) {
	var names []string
	v = newView(func(key types.NamespacedName) {
		v.get(key) // the lock is free
		names = append(names, key.Name)
	})
	return v, func() []string {
		defer func() { names = nil }()
		return slices.Sorted(slices.Values(names))
	}
}

// seen is a Canary as the watch brings it.
func seen(c *unstructured.Unstructured) *sighting {
	return &sighting{key: derive.KeyOf(c), version: c.GetResourceVersion(), observed: observe(c)}
}

// listed are Canaries as a list brings them.
func listed(items ...*unstructured.Unstructured) map[types.NamespacedName]*sighting {
	all := map[types.NamespacedName]*sighting{}
	for _, c := range items {
		all[derive.KeyOf(c)] = seen(c)
	}
	return all
}

// must fails the test on an error of the view's.
func must(t rapid.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shows checks what the view holds, as name@version.
func shows(t rapid.TB, v *view, want ...string) {
	t.Helper()
	var got []string
	for _, key := range v.keys() {
		got = append(got, key.Name+"@"+v.get(key).resourceVersion)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || v.len() != len(want) {
		t.Fatalf("the view shows %v (%d), want %v", got, v.len(), want)
	}
}

func TestViewFollowsTheWatch(t *testing.T) {
	v, told := aView()
	v.update(seen(copyOf("a", 1)))
	v.update(seen(copyOf("b", 2)))
	v.update(seen(copyOf("a", 3)))
	shows(t, v, "a@3", "b@2")
	v.remove(seen(copyOf("a", 4)))
	shows(t, v, "b@2")
	v.remove(seen(copyOf("never-there", 5)))
	shows(t, v, "b@2")
	mustEqual(t, "told of", told(), []string{"a", "a", "a", "b", "never-there"})
	if v.get(at("a")) != nil {
		t.Error("what is gone is still got")
	}
}

func TestViewIsSyncedByTheFirstList(t *testing.T) {
	v, _ := aView()
	v.update(seen(copyOf("a", 1)))
	if isClosed(v.synced) {
		t.Fatal("synced by an event")
	}
	v.replace(nil, "2")
	if !isClosed(v.synced) {
		t.Fatal("not synced by a list")
	}
	v.replace(nil, "3")
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestReplaceDropsWhatIsGoneAndTellsOfEachKeyOnce(t *testing.T) {
	v, told := aView()
	v.replace(listed(copyOf("gone", 1), copyOf("stays", 2), copyOf("changes", 3)), "3")
	mustEqual(t, "told of by the first list", told(), []string{"changes", "gone", "stays"})
	v.record(at("recorded-and-gone"), observe(copyOf("recorded-and-gone", 4)))

	v.replace(listed(copyOf("stays", 2), copyOf("changes", 6), copyOf("new", 5)), "7")
	shows(t, v, "changes@6", "new@5", "stays@2")
	mustEqual(t, "told of by the second list", told(), []string{"changes", "gone", "new", "recorded-and-gone", "stays"})

	v.record(at("gone"), observe(copyOf("gone", 7)))
	shows(t, v, "changes@6", "new@5", "stays@2")
}

func TestAWritesAnswerShowsBeforeTheWatchBringsIt(t *testing.T) {
	v, told := aView()
	v.replace(nil, "10")
	v.record(at("a"), observe(copyOf("a", 11)))
	shows(t, v, "a@11")
	mustEqual(t, "told of", told(), nil)
	v.update(seen(copyOf("a", 11)))
	shows(t, v, "a@11")
}

func TestAnOlderWatchEventDoesNotOverwriteANewerAnswer(t *testing.T) {
	v, _ := aView()
	v.update(seen(copyOf("a", 1)))
	v.record(at("a"), observe(copyOf("a", 5)))
	v.update(seen(copyOf("a", 3)))
	shows(t, v, "a@5")
	v.remove(seen(copyOf("a", 4))) // it was deleted and written again
	shows(t, v, "a@5")
	v.update(seen(copyOf("a", 6)))
	shows(t, v, "a@6")
}

func TestAListThatWasAskedForBeforeAWriteDoesNotUndoItsAnswer(t *testing.T) {
	v, _ := aView()
	v.replace(listed(copyOf("edited", 10), copyOf("restored", 20)), "20")
	v.asks()
	v.record(at("edited"), observe(copyOf("edited", 31)))
	v.record(at("created"), observe(copyOf("created", 32)))
	v.replace(listed(copyOf("edited", 30), copyOf("restored", 20)), "30")
	shows(t, v, "created@32", "edited@31", "restored@20")

	v.asks() // a list of what was restored from a backup since
	v.replace(listed(copyOf("edited", 5)), "5")
	shows(t, v, "edited@5")
}

func TestALateAnswerLeavesNoGhost(t *testing.T) {
	v, _ := aView()
	v.update(seen(copyOf("a", 5)))
	v.remove(seen(copyOf("a", 6)))
	v.record(at("a"), observe(copyOf("a", 5)))
	shows(t, v)
	v.record(at("a"), observe(copyOf("a", 7)))
	shows(t, v, "a@7")
}

func TestALateAnswerDoesNotOverwriteANewerWatchEvent(t *testing.T) {
	v, _ := aView()
	v.update(seen(copyOf("a", 5)))
	v.update(seen(copyOf("a", 8)))
	v.record(at("a"), observe(copyOf("a", 6)))
	shows(t, v, "a@8")
}

func TestAnAcceptedDeleteShowsAsTerminatingUntilTheWatchSaysGone(t *testing.T) {
	v, _ := aView()
	v.update(seen(copyOf("a", 5)))
	have := v.get(at("a"))
	v.recordDeleted(at("a"), have)
	if have.terminating || !v.get(at("a")).terminating {
		t.Errorf("held %+v, shown %+v", have, v.get(at("a")))
	}
	v.update(seen(copyOf("a", 5))) // the watch is behind
	if !v.get(at("a")).terminating {
		t.Error("an old event undid it")
	}
	v.remove(seen(copyOf("a", 6)))
	shows(t, v)
}

func TestADeletesLateAnswerLeavesNoGhost(t *testing.T) {
	v, _ := aView()
	v.update(seen(copyOf("a", 5)))
	have := v.get(at("a"))
	v.remove(seen(copyOf("a", 6)))
	v.recordDeleted(at("a"), have)
	shows(t, v)

	v.update(seen(copyOf("a", 7)))
	v.recordDeleted(at("a"), have)
	if v.get(at("a")).terminating {
		t.Error("one that came after counts as deleted")
	}
}

func TestWhereVersionsAreNoNumbersOnlyTheWatchCounts(t *testing.T) {
	opaque := func(version string) *unstructured.Unstructured {
		c := copyOf("a", 0)
		c.SetResourceVersion(version)
		return c
	}
	v, _ := aView()
	v.replace(nil, "r-1")
	v.record(at("a"), observe(opaque("r-2")))
	shows(t, v)
	v.update(seen(opaque("r-2")))
	v.update(seen(opaque("r-3")))
	shows(t, v, "a@r-3")
	v.record(at("a"), observe(opaque("r-4")))
	shows(t, v, "a@r-3")
	v.remove(seen(opaque("r-5")))
	shows(t, v)
}

// history is what happened in a member, in the order of the versions: at each a Canary was written, or deleted.
type history []struct {
	name    string
	deleted bool
}

func drawHistory(t *rapid.T) history {
	h := make(history, rapid.IntRange(1, 20).Draw(t, "events"))
	there := map[string]bool{}
	for i := range h {
		name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
		h[i].name, h[i].deleted = name, there[name] && rapid.Bool().Draw(t, "deleted")
		there[name] = !h[i].deleted
	}
	return h
}

func (h history) version(i int) int { return i + 1 }

// deliver brings the view what the watch says of event i.
func (h history) deliver(v *view, i int) {
	c := seen(copyOf(h[i].name, h.version(i)))
	if h[i].deleted {
		v.remove(c)
	} else {
		v.update(c)
	}
}

// answer brings the view what the writer of event i was told.
func (h history) answer(v *view, i int) {
	v.record(at(h[i].name), observe(copyOf(h[i].name, h.version(i))))
}

// list is what stands after the first n events.
func (h history) list(n int) (items []*unstructured.Unstructured, shown []string) {
	last := map[string]int{}
	for i := range n {
		if last[h[i].name] = h.version(i); h[i].deleted {
			delete(last, h[i].name)
		}
	}
	for name, version := range last {
		items = append(items, copyOf(name, version))
		shown = append(shown, fmt.Sprintf("%s@%d", name, version))
	}
	slices.Sort(shown)
	return items, shown
}

// However answers come between the watch's events: once the watch has caught up, the view shows what is there.
func TestViewConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		v, _ := aView()
		watched, happened := 0, 0 // events that the watch has brought, and that have happened
		for watched < len(h) {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0: // something happens, and is yet to be seen
				happened = min(happened+1, len(h))
			case 1: // some answer comes, early or late
				if happened > 0 {
					if i := rapid.IntRange(0, happened-1).Draw(t, "answer"); !h[i].deleted {
						h.answer(v, i)
					}
				}
			case 2: // a fresh list
				v.asks()
				items, shown := h.list(happened)
				watched = happened
				for range rapid.IntRange(0, len(h)-happened).Draw(t, "meanwhile") {
					if happened++; !h[happened-1].deleted {
						h.answer(v, happened-1)
					}
				}
				v.replace(listed(items...), fmt.Sprint(watched))
				if watched == happened {
					shows(t, v, shown...)
				}
			case 3: // the watch goes on
				if watched == happened {
					happened++
				}
				h.deliver(v, watched)
				watched++
			}
			if watched == happened && watched > 0 {
				_, shown := h.list(watched)
				shows(t, v, shown...)
			}
		}
	})
}

// The same with writers that really run beside the watch; it is the race detector's test.
func TestViewConvergesUnderConcurrentWriters(t *testing.T) {
	var h history
	for i := range 600 {
		name := fmt.Sprintf("canary-%d", i%4)
		h = append(h, struct {
			name    string
			deleted bool
		}{name, i/4%5 == 4})
	}
	v := newView(func(types.NamespacedName) {})
	var running sync.WaitGroup
	for writer := range 4 {
		running.Go(func() {
			for i := writer; i < len(h); i += 4 {
				key := at(h[i].name)
				if h[i].deleted {
					if have := v.get(key); have != nil {
						v.recordDeleted(key, have)
					}
				} else {
					h.answer(v, i)
				}
			}
		})
	}
	running.Go(func() {
		for range 50 {
			v.len()
			v.keys()
		}
	})
	for i := range h {
		h.deliver(v, i)
	}
	running.Wait()
	_, shown := h.list(len(h))
	shows(t, v, shown...)
}
