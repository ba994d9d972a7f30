package member

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/fanout/fanouttest"
	"fanout/pkg/results"
	"fanout/pkg/selector"
)

// aHub asks for the same of every place: what derives from parent, or nothing where that is nil.
type aHub struct {
	parent  *unstructured.Unstructured
	unknown atomic.Bool // whether it can't be believed
}

func (h *aHub) Synced() <-chan struct{} {
	always := make(chan struct{})
	close(always)
	return always
}

func (h *aHub) ConfirmVanished(context.Context, time.Time, time.Time) error {
	if h.unknown.Load() {
		return fmt.Errorf("%w: test", ErrHubUnknown)
	}
	return nil
}

func (h *aHub) Demand(types.NamespacedName) Demand {
	if h.parent == nil {
		return Demand{}
	}
	return demandOf(h.parent, thisHub, member1)
}

func (h *aHub) Warn(types.NamespacedName, string, string) {}

func (h *aHub) Heard(types.NamespacedName, bool) {}

func (h *aHub) HeardAll() {}

// bench is a member at work, in a bubble of fake time.
type bench struct {
	*Member
	server   *fanouttest.Server
	joined   *clusters.Member
	metrics  *prometheus.Registry
	warnedMu sync.Mutex // workers warn at the same time
	warned   []string
	end      context.CancelFunc
	ended    chan struct{}
}

// heard is a hub that notes down what it is to warn of.
type heard struct {
	Hub
	bench *bench
}

func (h heard) Warn(key types.NamespacedName, reason, _ string) {
	h.bench.warnedMu.Lock()
	defer h.bench.warnedMu.Unlock()
	h.bench.warned = append(h.bench.warned, reason+" "+key.Name)
}

func work(t *testing.T, hub Hub, answer func(*fanouttest.Call) string) *bench {
	return workAt(t, hub, &fanouttest.Server{Answer: answer})
}

func workAt(t *testing.T, hub Hub, server *fanouttest.Server) *bench {
	b := &bench{server: server, metrics: prometheus.NewRegistry(), ended: make(chan struct{})}
	everywhere, err := selector.ParseNamespaces("*")
	must(t, err)
	b.joined = &clusters.Member{Agent: member1, Client: b.server.Client(t), Namespaces: everywhere}
	b.Member = New(b.joined, heard{hub, b}, Options{
		HubID: thisHub, CreateNamespaces: true, ConcurrentSyncs: 2, RequestTimeout: 30 * time.Second,
		OrphanSweepPeriod: time.Hour, Results: &results.Reader{}, Metrics: NewMetrics(b.metrics), Clock: clock.RealClock{},
	})
	ctx, end := context.WithCancel(t.Context())
	b.end = end
	go func() {
		defer close(b.ended)
		b.Run(ctx)
	}()
	synctest.Wait()
	return b
}

// pass lets the bubble's time pass, and what was due in it be done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// fails returns why the place is not as it should be.
func (b *bench) fails(key types.NamespacedName) string {
	b.view.mu.RLock()
	defer b.view.mu.RUnlock()
	return b.view.places[key].remark().failing.Reason
}

func (b *bench) stop() {
	b.end()
	<-b.ended
}

// stored is what an API server answers to an apply.
func stored(version int, edits ...edit) string {
	c := copyFor(aParent(), thisHub, member1)
	withUID("copy")(c)
	withVersion(version)(c)
	for _, edit := range edits {
		edit(c)
	}
	text, err := c.MarshalJSON()
	if err != nil {
		panic(err)
	}
	return string(text)
}

const placeURL = "/apis/canaries.flanksource.com/v1/namespaces/payments/canaries/api-health"

func TestAPlaceIsWrittenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := work(t, &aHub{parent: aParent()}, func(*fanouttest.Call) string { return stored(2) })
		defer b.stop()
		for range 3 {
			b.Look(at("api-health"))
			synctest.Wait()
		}
		mustEqual(t, "asked", b.server.Asked(), []string{"PATCH " + placeURL})
		mustEqual(t, "series", fanouttest.Series(t, b.metrics, "fanout_writes_total"), []string{"action=created agent=eu-west-prod 1"})
	})
}

func TestAMissingNamespaceIsCreated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		missing := true
		b := work(t, &aHub{parent: aParent()}, func(call *fanouttest.Call) string {
			switch {
			case call.Method == http.MethodPost:
				missing = false
				return `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"payments"}}`
			case missing:
				return strings.Replace(fanouttest.StatusOf(404, "NotFound"), `"message"`, `"details":{"kind":"namespaces","name":"payments"},"message"`, 1)
			}
			return stored(2)
		})
		defer b.stop()
		b.Look(at("api-health"))
		synctest.Wait()
		mustEqual(t, "asked", b.server.Asked(), []string{"PATCH " + placeURL, "POST /api/v1/namespaces", "PATCH " + placeURL})
		mustEqual(t, "warned", b.warned, nil)
	})
}

func TestAnErrorIsReportedOncePerReasonAndRetriedWithBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var code atomic.Int64
		code.Store(403)
		b := work(t, &aHub{parent: aParent()}, func(*fanouttest.Call) string {
			switch code.Load() {
			case 403:
				return fanouttest.StatusOf(403, "Forbidden")
			case 401:
				return fanouttest.StatusOf(401, "Unauthorized")
			}
			return stored(2)
		})
		defer b.stop()
		b.Look(at("api-health"))
		pass(10 * time.Second)
		mustEqual(t, "warned", b.warned, []string{"Forbidden api-health"})
		if asked := len(b.server.Asked()); asked < 5 || asked > 11 {
			t.Errorf("10s of backoff made %d attempts", asked)
		}

		code.Store(401)
		pass(3 * time.Minute)
		mustEqual(t, "warned", b.warned, []string{"Forbidden api-health", "Unauthorized api-health"})

		code.Store(200)
		pass(3 * time.Minute)
		asked := len(b.server.Asked())
		pass(30 * time.Minute)
		mustEqual(t, "attempts after success", len(b.server.Asked())-asked, 0)
		mustEqual(t, "fails for", b.fails(at("api-health")), "")
	})
}

func TestWhatAMembersSchemaRefusesIsNotRetriedBeforeSomethingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := work(t, &aHub{parent: aParent()}, func(*fanouttest.Call) string { return fanouttest.StatusOf(422, "Invalid") })
		defer b.stop()
		b.Look(at("api-health"))
		pass(50 * time.Minute)
		mustEqual(t, "attempts", len(b.server.Asked()), 1)
		b.Look(at("api-health"))
		synctest.Wait()
		mustEqual(t, "attempts after an edit or a resync", len(b.server.Asked()), 2)
		mustEqual(t, "warned", b.warned, []string{"Rejected api-health"})
	})
}

func TestNothingIsDeletedWhileTheHubIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := &aHub{}
		hub.unknown.Store(true)
		b := work(t, hub, func(*fanouttest.Call) string {
			return `{"apiVersion":"v1","kind":"Status","status":"Success"}`
		})
		defer b.stop()
		held := copyFor(aParent(), thisHub, member1)
		withVersion(2)(held)
		b.view.update(seen(held))
		pass(time.Minute)
		mustEqual(t, "asked", b.server.Asked(), nil)
		mustEqual(t, "in the view", b.view.len(), 1)

		hub.unknown.Store(false)
		pass(3 * time.Minute)
		mustEqual(t, "asked once the hub is known", b.server.Asked(), []string{"DELETE " + placeURL})
	})
}

// canary-checker may write a copy's status faster than the watch brings it.
func TestOnlyANewerStatusIsDeletedUnseen(t *testing.T) {
	for _, row := range []struct {
		name string
		live edit
		asks []string
	}{
		{"status", withStatus("Failed"), []string{"DELETE of 2", "GET", "DELETE of 3"}},
		{"an edit", withSpec("schedule", "@every 9h"), []string{"DELETE of 2", "GET"}},
		{"another hub's", withLabel(derive.LabelHub, otherHub), []string{"DELETE of 2", "GET"}},
		{"another object", withUID("another"), []string{"DELETE of 2", "GET"}},
		{"terminating", beingDeleted, []string{"DELETE of 2", "GET"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked []string
				b := work(t, &aHub{}, func(call *fanouttest.Call) string {
					var options metav1.DeleteOptions
					switch {
					case call.Method == http.MethodGet:
						asked = append(asked, "GET")
						return stored(3, row.live)
					case json.Unmarshal(call.Body, &options) != nil || options.Preconditions == nil:
						asked = append(asked, "DELETE of anything")
					default:
						asked = append(asked, "DELETE of "+*options.Preconditions.ResourceVersion)
					}
					if len(asked) == 1 {
						return fanouttest.StatusOf(409, "Conflict")
					}
					return `{"apiVersion":"v1","kind":"Status","status":"Success"}`
				})
				defer b.stop()
				held := copyFor(aParent(), thisHub, member1)
				withUID("copy")(held)
				withVersion(2)(held)
				b.view.update(seen(held))
				synctest.Wait()
				mustEqual(t, "asked at once", asked, row.asks)
			})
		})
	}
}

func TestAnotherWriterIsAnsweredAtLongerIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var version atomic.Int64 // of the member's last change
		version.Store(1)
		b := work(t, &aHub{parent: aParent()}, func(*fanouttest.Call) string {
			return stored(int(version.Add(1)))
		})
		defer b.stop()
		b.Look(at("api-health"))
		synctest.Wait()
		for range 600 { // for ten minutes somebody deletes it each second
			gone := copyFor(aParent(), thisHub, member1)
			withVersion(int(version.Add(1)))(gone)
			b.view.remove(seen(gone))
			pass(time.Second)
		}
		if asked := len(b.server.Asked()); asked < 5 || asked > 15 {
			t.Errorf("it was written %d times", asked)
		}
		if why := b.fails(at("api-health")); why != "Contested" && why != "" {
			t.Errorf("it fails for %q", why)
		}
	})
}

// canary-checker writes a copy's status whenever it has run it, and a write of fanout's may come too late for that. Only who
// changes what fanout sets is fought with.
func TestOnlyAnotherEditIsAFight(t *testing.T) {
	for _, row := range []struct {
		name   string
		edited func(read int) edit // what stands in the member, each time that it is read
		asked  []string
		warned []string
	}{
		{"status", func(read int) edit { return withSpec("schedule", "@every 9h") },
			[]string{"GET", "PATCH", "GET", "PATCH", "GET", "PATCH", "GET", "PATCH"}, nil},
		{"a round trip of the edit", func(read int) edit {
			if read < 2 {
				return writtenBy("kubectl-edit", "http", list{anHTTPCheck(fields{"url": "http://elsewhere"})})
			}
			empties := anHTTPCheck(empties)
			empties["url"] = "http://elsewhere"
			return writtenBy(checker, "http", list{empties})
		}, []string{"GET", "PATCH", "GET", "PATCH", "GET", "PATCH", "GET", "PATCH"}, nil},
		{"edits", func(read int) edit { return withSpec("schedule", fmt.Sprintf("@every %dh", read)) },
			[]string{"GET", "PATCH", "GET", "PATCH"}, []string{"Contested api-health"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reads, writes := 0, 0
				b := work(t, &aHub{parent: aParent()}, func(call *fanouttest.Call) string {
					switch {
					case call.Method == http.MethodGet:
						reads++
						return stored(100+reads, row.edited(reads))
					case writes > 0 && writes < 4:
						writes++
						return fanouttest.StatusOf(409, "Conflict")
					default: // the copy is created, and put back at last
						writes++
						return stored(writes * 50)
					}
				})
				defer b.stop()
				b.Look(at("api-health"))
				synctest.Wait()
				mustEqual(t, "created by", len(b.server.Asked()), 1)
				drifted := copyFor(aParent(), thisHub, member1)
				withUID("copy")(drifted)
				withVersion(100)(drifted)
				row.edited(0)(drifted)
				b.view.update(seen(drifted))
				synctest.Wait()
				var asked []string
				for _, request := range b.server.Asked()[1:] {
					method, _, _ := strings.Cut(request, " ")
					asked = append(asked, method)
				}
				mustEqual(t, "asked at once", asked, row.asked)
				mustEqual(t, "warned", b.warned, row.warned)
			})
		})
	}
}

// What is answered while the member stops must not bring its series back.
func TestAMembersSeriesGoWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answered := make(chan struct{})
		b := work(t, &aHub{parent: aParent()}, func(*fanouttest.Call) string {
			<-answered
			return stored(2)
		})
		b.Look(at("api-health"))
		synctest.Wait() // the request is under way
		b.end()
		synctest.Wait() // run waits for it
		close(answered)
		<-b.ended
		for _, name := range []string{"fanout_writes_total", "fanout_sync_errors_total", "fanout_derived_canaries", "fanout_queue_depth"} {
			mustEqual(t, name, fanouttest.Series(t, b.metrics, name), nil)
		}
	})
}

func TestAMemberThatIsNotSyncedStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := work(t, &hubNeverSynced{}, func(call *fanouttest.Call) string { return call.Never() })
		b.Look(at("api-health"))
		synctest.Wait()
		b.stop()
		mustEqual(t, "asked", b.server.Asked(), nil)
	})
}

// hubNeverSynced has not read its Canaries yet.
type hubNeverSynced struct{ aHub }

func (*hubNeverSynced) Synced() <-chan struct{} { return nil }
