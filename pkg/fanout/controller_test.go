package fanout

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/fanout/fanouttest"
	"fanout/pkg/fanout/member"
)

// Whoever swaps a member's client, lets its Secret go or gives the lease up relies on this: when Leave, Drain or Run returns,
// nothing is under way in the member and nothing will be.
func TestNothingIsUnderWayAfterwards(t *testing.T) {
	names := []string{"one", "two", "three", "four"} // two at once: the others wait for their turn
	for name, begin := range map[string]func(*testing.T, context.Context, *Controller, *fanouttest.Server) (ended <-chan struct{}){
		"Leave": func(t *testing.T, ctx context.Context, c *Controller, server *fanouttest.Server) <-chan struct{} {
			m := c.start(context.WithoutCancel(ctx), memberAt(t, server), nil, func(a *agent) member.Hub { return alwaysAsking{asked{c, a}, aParent()} })
			for _, name := range names {
				m.Look(at(name))
			}
			return done(func() {
				<-ctx.Done()
				c.Leave(member1)
			})
		},
		"Drain": func(t *testing.T, ctx context.Context, c *Controller, server *fanouttest.Server) <-chan struct{} {
			for _, name := range names {
				server.Copies = append(server.Copies, copyOf(name))
			}
			return done(func() { _ = c.Drain(ctx, memberAt(t, server)) })
		},
		"Run": func(t *testing.T, ctx context.Context, c *Controller, server *fanouttest.Server) <-chan struct{} {
			for _, name := range names {
				parent := aParent(withSelector([]any{derive.LocalAgent}), withVersion(1))
				parent.SetName(name)
				server.Parents = append(server.Parents, parent)
			}
			return done(func() { c.Run(ctx) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answered := make(chan struct{})
				server := &fanouttest.Server{Answer: func(*fanouttest.Call) string {
					<-answered // whatever its caller does: the request has been sent
					return asText(t, copyOf("api-health"))
				}}
				options := testOptions(prometheus.NewRegistry())
				ctx, end := context.WithCancel(t.Context())
				ended := begin(t, ctx, New(server.Client(t), options), server)
				synctest.Wait()
				mustEqual(t, "requests under way", len(server.Asked()), options.ConcurrentSyncs)

				end()
				synctest.Wait()
				select {
				case <-ended:
					t.Error("it returned with requests under way")
				default:
				}
				close(answered)
				<-ended
				time.Sleep(time.Hour) // in the bubble
				synctest.Wait()
				mustEqual(t, "requests in all", len(server.Asked()), options.ConcurrentSyncs)
			})
		})
	}
}

// alwaysAsking is the hub as a member sees it that is asked for a copy of one parent everywhere.
type alwaysAsking struct {
	asked
	parent *unstructured.Unstructured
}

func (alwaysAsking) Synced() <-chan struct{} { return nothingWanted{}.Synced() }

func (a alwaysAsking) Demand(types.NamespacedName) member.Demand {
	return member.Demand{Copy: derive.For(a.parent, a.parent.Object["spec"], thisHub, member1), Parent: member.SomeParent}
}

// copyOf is a derived Canary of that name at the first version.
func copyOf(name string) *unstructured.Unstructured {
	c := derive.For(aParent(func(c *unstructured.Unstructured) { c.SetName(name) }), aParent().Object["spec"], thisHub, member1).Canary()
	withVersion(1)(c)
	return c
}

func memberAt(t *testing.T, server *fanouttest.Server) *clusters.Member {
	return &clusters.Member{Agent: member1, Client: server.Client(t), Namespaces: everyNamespace()}
}

// done is closed when f has returned.
func done(f func()) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f()
	}()
	return ended
}

func testOptions(metrics prometheus.Registerer) Options {
	return Options{
		HubID: thisHub, CreateNamespaces: true, ConcurrentSyncs: 2, RequestTimeout: 30 * time.Second,
		ResyncPeriod: 5 * time.Minute, OrphanSweepPeriod: time.Hour,
		Recorder: record.NewFakeRecorder(100), Metrics: NewMetrics(metrics), Clock: clock.RealClock{},
	}
}

func asText(t *testing.T, c *unstructured.Unstructured) string {
	text, err := c.MarshalJSON()
	if err != nil {
		t.Error(err)
	}
	return string(text)
}
