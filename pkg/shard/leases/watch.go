package leases

import (
	"context"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/klog/v2"
)

// watch has the Leases read at once when one says something new. It is there for speed alone: nothing is believed of it.
func (r *Replica) watch(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.watchOnce(ctx)
		if err != nil && ctx.Err() == nil {
			klog.FromContext(ctx).V(2).Info("No watch of Leases", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-r.options.Clock.After(r.options.RetryPeriod):
		}
	}
}

func (r *Replica) watchOnce(ctx context.Context) error {
	events, err := r.leases.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	defer events.Stop()
	said := map[string]string{}
	for {
		var event watch.Event
		var ok bool
		select {
		case event, ok = <-events.ResultChan():
		case <-ctx.Done():
		}
		if !ok {
			return nil
		}
		l, ok := event.Object.(*coordinationv1.Lease)
		if !ok {
			continue
		}
		a, ok := r.options.announcementOf(l)
		if !ok || a.Replica == r.name {
			continue
		}
		now := a.View.String()
		if a.Released || event.Type == watch.Deleted {
			now = "released"
		}
		if before, known := said[a.Replica]; !known || before != now {
			said[a.Replica] = now
			r.wake()
		}
	}
}

func (r *Replica) wake() {
	select {
	case r.news <- struct{}{}:
	default: // it will look anyway
	}
}
