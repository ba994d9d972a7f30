package fanout

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"
)

// errHubUnknown says that the hub can't be believed about what it does not list.
var errHubUnknown = errors.New("the hub's Canaries are not known for certain, so nothing is pruned")

// crdGuard looks whether the hub still serves Canaries at all. When their CRD is deleted the API server
// deletes every Canary first, and each such deletion looks like a user's own.
type crdGuard struct {
	client  dynamic.ResourceInterface
	timeout time.Duration
	clock   clock.PassiveClock

	looking chan struct{} // holds a token while somebody looks; guards what follows
	started time.Time     // of the last look
	err     error         // its outcome
}

func newCRDGuard(hub dynamic.Interface, timeout time.Duration, clock clock.PassiveClock) *crdGuard {
	return &crdGuard{client: hub.Resource(crds), timeout: timeout, clock: clock, looking: make(chan struct{}, 1)}
}

// confirm returns nil if the hub served Canaries after since. The CRD is marked as terminating before the first
// Canary goes with it, so a look that began after a Canary was seen to be gone tells the one case from the
// other. Looks are shared: many deletions at once cost one request.
func (g *crdGuard) confirm(ctx context.Context, since time.Time) error {
	select {
	case g.looking <- struct{}{}:
		defer func() { <-g.looking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if g.started.After(since) {
		return g.err
	}
	started := g.clock.Now()
	err := g.look(ctx)
	if ctx.Err() == nil { // else it says more of this caller than of the hub
		g.started, g.err = started, err
	}
	return err
}

func (g *crdGuard) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	crd, err := g.client.Get(ctx, Canaries.Resource+"."+Canaries.Group, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("%w: get the hub's Canary CRD: %w", errHubUnknown, err)
	}
	if crd.GetDeletionTimestamp() != nil {
		return fmt.Errorf("%w: the hub's Canary CRD is being deleted", errHubUnknown)
	}
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
	for _, item := range conditions {
		condition, _ := item.(map[string]any)
		if condition["type"] == "Established" && condition["status"] == "True" {
			return nil
		}
	}
	return fmt.Errorf("%w: the hub's Canary CRD is not established", errHubUnknown)
}
