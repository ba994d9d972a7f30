package fanout

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
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

	uid         types.UID // of the CRD that was last seen at work
	missed      bool      // whether it was seen to go since
	reinstalled time.Time // when another was first seen at work
}

// reinstallGrace is how long after the hub's CRD was installed anew nothing is pruned for want of a parent: all parents went
// with the old one, and whoever applied them applies them again, but not in the same moment.
const reinstallGrace = 5 * time.Minute

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
		g.missed = g.missed || apierrors.IsNotFound(err)
		return fmt.Errorf("%w: get the hub's Canary CRD: %w", errHubUnknown, err)
	}
	if crd.GetDeletionTimestamp() != nil {
		g.missed = true
		return fmt.Errorf("%w: the hub's Canary CRD is being deleted", errHubUnknown)
	}
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
	for _, item := range conditions {
		condition, _ := item.(map[string]any)
		if condition["type"] == "Established" && condition["status"] == "True" {
			return g.settled(crd.GetUID())
		}
	}
	return fmt.Errorf("%w: the hub's Canary CRD is not established", errHubUnknown)
}

// settled returns nil unless the CRD at work has been there for a short time only, in the place of another.
func (g *crdGuard) settled(uid types.UID) error {
	now := g.clock.Now()
	if g.missed || g.uid != "" && g.uid != uid {
		g.reinstalled = now
	}
	g.uid, g.missed = uid, false
	if !g.reinstalled.IsZero() && now.Sub(g.reinstalled) < reinstallGrace {
		return fmt.Errorf("%w: the hub's Canary CRD was installed anew, and its Canaries may still be on their way", errHubUnknown)
	}
	return nil
}
