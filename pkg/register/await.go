package register

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"fanout/pkg/clusters"
	"fanout/pkg/lease"
)

// ErrNotConfirmed says that all was done that register and deregister do, and that the controller has not said in time that
// it worked.
var ErrNotConfirmed = errors.New("the controller has not confirmed it")

// events are the controller's words about one Secret from a moment on.
type events struct {
	source cache.WatcherWithContext
	since  string
}

func (o *Options) eventsFromNow(ctx context.Context, hub kubernetes.Interface) (*events, error) {
	about := fields.Set{"involvedObject.kind": "Secret", "involvedObject.name": o.Agent}.String()
	list, err := hub.CoreV1().Events(o.ClusterNamespace).List(ctx, metav1.ListOptions{FieldSelector: about, Limit: 1})
	if err != nil {
		return nil, o.inHub(fmt.Sprintf("read the Events in the hub's namespace %s, by which the controller tells how it went (--wait=0 does without)", o.ClusterNamespace), err)
	}
	return &events{since: list.ResourceVersion, source: &cache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = about
			return hub.CoreV1().Events(o.ClusterNamespace).Watch(ctx, options)
		},
	}}, nil
}

// each calls heard with each Event until that says that it is enough, or fails.
func (e *events) each(ctx context.Context, heard func(*corev1.Event) (enough bool, err error)) error {
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, e.since, e.source)
	if err != nil {
		return err
	}
	_, err = watchtools.UntilWithoutRetry(ctx, watcher, func(event watch.Event) (bool, error) {
		said, ok := event.Object.(*corev1.Event)
		if !ok || event.Type == watch.Deleted {
			return false, nil
		}
		return heard(said)
	})
	return err
}

// await waits until the controller says that the member works, or that it refuses it.
func (o *Options) await(ctx context.Context, hub kubernetes.Interface, from *events) error {
	bounded, cancel := context.WithTimeout(ctx, o.Wait)
	defer cancel()
	last := ""
	err := from.each(bounded, func(event *corev1.Event) (bool, error) {
		o.say("hub: %s: %s", event.Reason, event.Message)
		switch event.Reason {
		case string(clusters.Connected), "Renewed":
			return true, nil
		case string(clusters.Refused):
			return false, fmt.Errorf("the controller refuses the member: %s", event.Message)
		}
		last = event.Message
		return false, nil
	})
	switch {
	case err == nil, ctx.Err() != nil:
		return ctx.Err()
	case !wait.Interrupted(err):
		return err
	case last != "":
		return fmt.Errorf("%w within %s, and goes on trying: %s", ErrNotConfirmed, o.Wait, last)
	default:
		return fmt.Errorf("%w within %s: %s", ErrNotConfirmed, o.Wait, o.silence(ctx, hub))
	}
}

// silence guesses why the controller says nothing.
func (o *Options) silence(ctx context.Context, hub kubernetes.Interface) string {
	runs, _, err := lease.Holder(ctx, hub, o.ClusterNamespace, o.LeaseName, time.Now())
	switch {
	case err != nil:
		return "see whether it runs, with fanout check: " + err.Error()
	case runs == "":
		return fmt.Sprintf("none seems to run, since nobody holds the Lease %s/%s. The Secret is there, and will be used when one does: install it, or see fanout check", o.ClusterNamespace, o.LeaseName)
	default:
		return fmt.Sprintf("%s runs, and has said nothing: see its log", runs)
	}
}
