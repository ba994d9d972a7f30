package fanout

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fanout/pkg/clusters"
)

// Whoever swaps a member's client, lets its Secret go or gives the lease up relies on this: when Leave, Drain or Run returns,
// nothing is under way in the member and nothing will be.
func TestNothingIsUnderWayAfterwards(t *testing.T) {
	names := []string{"one", "two", "three", "four"} // two at once: the others wait for their turn
	for name, begin := range map[string]func(*testing.T, context.Context, *Controller, *memberServer) (ended <-chan struct{}){
		"Leave": func(t *testing.T, ctx context.Context, c *Controller, server *memberServer) <-chan struct{} {
			m := c.start(context.WithoutCancel(ctx), memberAt(t, server), &aHub{parent: parentOf(t, aParent())})
			for _, name := range names {
				m.queue.Add(at(name))
			}
			return done(func() {
				<-ctx.Done()
				c.Leave(member1)
			})
		},
		"Drain": func(t *testing.T, ctx context.Context, c *Controller, server *memberServer) <-chan struct{} {
			for _, name := range names {
				server.copies = append(server.copies, copyOf(name, 1))
			}
			return done(func() { _ = c.Drain(ctx, memberAt(t, server)) })
		},
		"Run": func(t *testing.T, ctx context.Context, c *Controller, server *memberServer) <-chan struct{} {
			for _, name := range names {
				parent := aParent(withSelector([]any{LocalAgent}), withVersion(1))
				parent.SetName(name)
				server.parents = append(server.parents, parent)
			}
			return done(func() { c.Run(ctx) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answered := make(chan struct{})
				server := &memberServer{answer: func(*call) string {
					<-answered // whatever its caller does: the request has been sent
					return stored(2)
				}}
				options := testOptions(prometheus.NewRegistry())
				ctx, end := context.WithCancel(t.Context())
				ended := begin(t, ctx, New(server.client(t), options), server)
				synctest.Wait()
				mustEqual(t, "requests under way", len(server.asked()), options.ConcurrentSyncs)

				end()
				synctest.Wait()
				select {
				case <-ended:
					t.Error("it returned with requests under way")
				default:
				}
				close(answered)
				<-ended
				pass(time.Hour)
				mustEqual(t, "requests in all", len(server.asked()), options.ConcurrentSyncs)
			})
		})
	}
}

func memberAt(t *testing.T, server *memberServer) *clusters.Member {
	return &clusters.Member{Agent: member1, Client: server.client(t), Namespaces: everyNamespace()}
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
