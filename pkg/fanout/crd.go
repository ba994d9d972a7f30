package fanout

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/fanout/member"
)

var crds = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// crdGuard looks whether the hub still serves Canaries at all. When their CRD is deleted the API server
// deletes every Canary first, and each such deletion looks like a user's own.
type crdGuard struct {
	client  dynamic.ResourceInterface
	timeout time.Duration
	clock   clock.PassiveClock

	looking   chan struct{} // holds a token while somebody looks; guards what follows
	started   time.Time     // of the last look
	installed time.Time     // when the CRD was, by that look
	err       error         // that look's outcome
}

// reinstallGrace is how long after the hub's CRD was installed anew nothing from before is pruned for want of a parent: all
// parents went with the old one, and whoever applied them applies them again, but not in the same moment.
const reinstallGrace = 5 * time.Minute

func newCRDGuard(hub dynamic.Interface, timeout time.Duration, clock clock.PassiveClock) *crdGuard {
	return &crdGuard{client: hub.Resource(crds), timeout: timeout, clock: clock, looking: make(chan struct{}, 1)}
}

// confirm returns nil if the hub served Canaries after since, and either for some time or since before the copy was created.
// The CRD is marked as terminating before the first Canary goes with it, so a look that began after a Canary was seen to be
// gone tells the one case from the other. A copy that is older than the CRD may be of a parent that went with the CRD before;
// by their ages, on the word of the hub's clock and the member's, that is still known after a restart of fanout. Looks are
// shared: many deletions at once cost one request.
func (g *crdGuard) confirm(ctx context.Context, since, created time.Time) error {
	select {
	case g.looking <- struct{}{}:
		defer func() { <-g.looking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	installed, err := g.installed, g.err
	if !g.started.After(since) {
		started := g.clock.Now()
		installed, err = g.look(ctx)
		if ctx.Err() == nil { // else it says more of this caller than of the hub
			g.started, g.installed, g.err = started, installed, err
		}
	}
	// A time in the future is not waited for: some clock was wrong.
	if age := g.clock.Since(installed); err == nil && age.Abs() < reinstallGrace && created.Before(installed) {
		return fmt.Errorf("%w: the hub's Canary CRD was installed anew, and its Canaries may still be on their way", member.ErrHubUnknown)
	}
	return err
}

// look returns when the CRD at work was installed, or an error if none is.
func (g *crdGuard) look(ctx context.Context) (installed time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	crd, err := g.client.Get(ctx, derive.Canaries.GroupResource().String(), metav1.GetOptions{})
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: get the hub's Canary CRD: %w", member.ErrHubUnknown, err)
	}
	if crd.GetDeletionTimestamp() != nil {
		return time.Time{}, fmt.Errorf("%w: the hub's Canary CRD is being deleted", member.ErrHubUnknown)
	}
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
	for _, item := range conditions {
		condition, _ := item.(map[string]any)
		if condition["type"] == "Established" && condition["status"] == "True" {
			return crd.GetCreationTimestamp().Time, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: the hub's Canary CRD is not established", member.ErrHubUnknown)
}
