package leases

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"fanout/pkg/shard"
)

// publish writes the Lease: with the view that is to be acted upon from now on, or with the same as the last time. A Lease is
// only ever written over the version that was written or read before, so that a write that comes late changes nothing.
func (r *Replica) publish(ctx context.Context, anew bool) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.mu.Lock()
	lapsed := r.state.Lapsed(r.options.Clock.Now())
	if anew {
		r.said = r.state.View()
	}
	idle := r.state.View() == nil || r.said == nil // there is nothing to renew
	r.mu.Unlock()
	switch {
	case lapsed:
		return errLapsed
	case idle:
		return nil
	}
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	sent := r.options.Clock.Now()
	err := r.put(ctx, r.options.Identity, r.said)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.state.Renewed(r.said, sent, r.options.Clock.Now()) {
		return errLapsed
	}
	return nil
}

// put writes the Lease. The caller has r.writing.
func (r *Replica) put(ctx context.Context, holder string, view shard.View) error {
	next := &coordinationv1.Lease{}
	if r.lease != nil {
		next = r.lease.DeepCopy()
	}
	r.write(next, holder, view)
	var err error
	if r.lease == nil {
		next, err = r.leases.Create(ctx, next, metav1.CreateOptions{})
	} else {
		next, err = r.leases.Update(ctx, next, metav1.UpdateOptions{})
	}
	if err == nil {
		r.lease = next
		return nil
	}
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err): // a write of one's own that was given up came through
		if read, getErr := r.leases.Get(ctx, r.name, metav1.GetOptions{}); getErr == nil {
			r.lease = read
		}
		r.wake()
	case apierrors.IsNotFound(err):
		// Somebody deleted it. Who comes now does not know of this replica, which has to begin like a new one.
		r.lease = nil
		r.mu.Lock()
		r.state.Forfeit(r.options.Clock.Now())
		r.mu.Unlock()
		r.wake()
	}
	return r.describe("write", err)
}

// read takes in all Leases, as they are at some time after it was asked for them.
func (r *Replica) read(ctx context.Context) (asked time.Time, err error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	asked = r.options.Clock.Now()
	all, err := r.options.list(ctx, r.leases)
	if err != nil {
		return asked, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Observe(all, asked, r.options.Clock.Now())
	return asked, nil
}

// lister is the part of a client for Leases that reads them all.
type lister interface {
	List(ctx context.Context, options metav1.ListOptions) (*coordinationv1.LeaseList, error)
}

func (o Options) list(ctx context.Context, leases lister) ([]shard.Announcement, error) {
	list, err := leases.List(ctx, metav1.ListOptions{}) // not from a cache that may lag
	if err != nil {
		return nil, fmt.Errorf("list the Leases in %s: %w", o.Namespace, err)
	}
	var all []shard.Announcement
	for i := range list.Items {
		if a, ok := o.announcementOf(&list.Items[i]); ok {
			all = append(all, a)
		}
	}
	return all, nil
}

// sweep deletes the Leases of replicas that are no more.
func (r *Replica) sweep(ctx context.Context, asked time.Time) error {
	r.mu.Lock()
	stale := r.state.Stale(asked)
	r.mu.Unlock()
	for _, a := range stale {
		err := r.leases.Delete(ctx, a.Replica, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &a.Version}})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("delete the Lease %s/%s, whose replica is no more: %w", r.options.Namespace, a.Replica, err)
		}
	}
	return nil
}

// release says that the replica works no longer. Its Lease stays for a while, for the others to see.
func (r *Replica) release(ctx context.Context) {
	r.writing.Lock()
	defer r.writing.Unlock()
	if r.lease == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := r.put(ctx, "", nil)
	if apierrors.IsConflict(err) {
		err = r.put(ctx, "", nil)
	}
	if err != nil {
		klog.FromContext(ctx).Error(err, "Release the Lease; the other replicas wait for it to expire")
	}
}
