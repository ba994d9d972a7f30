package fanout

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fanout/pkg/clusters"
)

// Whoever swaps a member's client, or lets its Secret go, relies on this: when Leave returns, nothing is under way in the member
// and nothing will be.
func TestLeaveWaitsForWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answered := make(chan struct{})
		server := &memberServer{answer: func(*call) string {
			<-answered // whatever its caller does: the request has been sent
			return stored(2)
		}}
		options := testOptions(prometheus.NewRegistry())
		c := New(server.client(t), options)
		m := c.start(t.Context(), &clusters.Member{Agent: member1, Client: server.client(t), Namespaces: everyNamespace()}, &aHub{parent: parentOf(t, aParent())})
		for i := range options.ConcurrentSyncs + 2 { // the last ones wait for their turn
			m.queue.Add(at(fmt.Sprintf("api-health-%d", i)))
		}
		synctest.Wait()
		mustEqual(t, "requests under way", len(server.asked()), options.ConcurrentSyncs)

		left := make(chan struct{})
		go func() {
			defer close(left)
			c.Leave(member1)
		}()
		synctest.Wait()
		select {
		case <-left:
			t.Error("Leave returned with requests under way")
		default:
		}
		close(answered)
		<-left
		pass(time.Hour)
		mustEqual(t, "requests in all", len(server.asked()), options.ConcurrentSyncs)
	})
}
