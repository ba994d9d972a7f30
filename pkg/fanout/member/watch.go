package member

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/klog/v2"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
)

// watchBackoff paces what follows a broken watch. It stays short: it is also how soon a member's Canary CRD is
// noticed after it was installed.
var watchBackoff = wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 10, Cap: 5 * time.Second}

const (
	// watchReset is how long a watch must have gone well for the backoff to start over.
	watchReset = 30 * time.Second
	// watchTimeout is how long a server is asked to keep a watch, at least, and half of the longest time: client-go's.
	watchTimeout = 5 * time.Minute
)

// watch keeps the view current until ctx ends. Each OrphanSweepPeriod it begins anew with a fresh list, which
// brings up whatever a watch may have missed.
//
// It is a reflector that runs in one goroutine and passes on what it reads as it comes. client-go's takes three for
// each member, and a second copy of what a list brings.
func (m *Member) watch(ctx context.Context) {
	told := ""
	for ctx.Err() == nil {
		m.watchUntilSweep(ctx, &told)
	}
}

// watchUntilSweep watches until the next sweep is due. Told is the trouble last told of.
func (m *Member) watchUntilSweep(ctx context.Context, told *string) {
	ctx, cancel := context.WithTimeout(ctx, wait.Jitter(m.options.OrphanSweepPeriod, 0.1))
	defer cancel()
	version := ""
	_ = watchBackoff.DelayWithReset(m.options.Clock, watchReset).Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		began := m.options.Clock.Now()
		err := m.watchFrom(ctx, &version)
		if m.options.Clock.Since(began) > watchReset {
			*told = ""
		}
		if ctx.Err() == nil {
			m.tellOfWatch(ctx, err, told)
		}
		return false, nil
	})
}

// tellOfWatch tells of a watch that ended by err, unless that is the trouble last told of.
func (m *Member) tellOfWatch(ctx context.Context, err error, told *string) {
	if err == nil || errors.Is(err, io.EOF) || apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return // as watches do
	}
	logger := klog.FromContext(ctx)
	why := reason(err)
	m.metrics.failed(why)
	if why == *told {
		logger.V(2).Info("Still no watch of derived Canaries", "reason", why, "err", err)
		return
	}
	*told = why
	logger.Info("Watch of derived Canaries ended", "reason", why, "err", err)
	advice := adviceOn(why)
	if advice != "" && m.warnOwner != nil {
		m.warnOwner(why, advice)
	}
	if m.lacks(why, advice) {
		m.hub.HeardAll()
	}
}

// adviceOn tells the member's owner what to do about a watch that can't be had, empty where that is nothing.
func adviceOn(reason string) string {
	switch reason {
	case reasonCRDMissing:
		return "The cluster does not serve " + derive.Canaries.GroupVersion().String() + ": install canary-checker, or its Canary CRD. What belongs there follows within seconds."
	case reasonForbidden:
		return "The credential may not list and watch Canaries in all namespaces: grant it the ClusterRole of docs/manifests/member.yaml. What belongs there follows within seconds."
	default:
		return ""
	}
}

// watchFrom watches from that version on, until the watch ends, and leaves there from which version to go on: an empty one is
// for a fresh list.
func (m *Member) watchFrom(ctx context.Context, version *string) error {
	var err error
	if *version == "" {
		err = m.watchAnew(ctx, version)
	} else if err = clusters.CheckNotRestored(ctx, m.list, *version); err == nil {
		err = m.watchOn(ctx, version)
	}
	if !continues(err) {
		*version = ""
	}
	return err
}

// continues tells that a watch which ended by err may go on where it ended: the connection broke, and not what came over it.
func continues(err error) bool {
	var status apierrors.APIStatus
	return !errors.Is(err, errUnreadable) && (!errors.As(err, &status) || apierrors.IsTooManyRequests(err))
}

// watchAnew has the view replaced by a fresh list, which is the beginning of the same watch where the server can do that.
func (m *Member) watchAnew(ctx context.Context, version *string) error {
	m.view.asks()
	initial := true
	body, err := m.openWatch(ctx, metav1.ListOptions{SendInitialEvents: &initial, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan})
	if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) { // it can't
		return m.watchAfterList(ctx, version)
	}
	if err != nil {
		return err
	}
	defer body.Close()
	events := m.newStream(body)
	list, at, err := events.list()
	if err != nil {
		return err
	}
	m.view.replace(list, at)
	*version = at
	return m.follow(events, version)
}

// watchAfterList is watchAnew for servers older than Kubernetes 1.34, or that have streamed lists switched off.
func (m *Member) watchAfterList(ctx context.Context, version *string) error {
	found, err := m.list(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	canaries := found.(*unstructured.UnstructuredList)
	list := make(map[types.NamespacedName]*sighting, len(canaries.Items))
	for i := range canaries.Items {
		listed := &canaries.Items[i]
		key := derive.KeyOf(listed)
		list[key] = &sighting{key: key, observed: observe(listed), said: m.hear(key, listed.Object["status"])}
	}
	m.view.replace(list, canaries.GetResourceVersion())
	*version = canaries.GetResourceVersion()
	return m.watchOn(ctx, version)
}

// watchOn watches from a version on.
func (m *Member) watchOn(ctx context.Context, version *string) error {
	body, err := m.openWatch(ctx, metav1.ListOptions{ResourceVersion: *version})
	if err != nil {
		return err
	}
	defer body.Close()
	m.retryFailing() // the member may have been away
	return m.follow(m.newStream(body), version)
}

// follow passes on what a watch brings until it ends.
func (m *Member) follow(events *stream, version *string) error {
	for {
		kind, seen, err := events.next()
		if err != nil {
			return err
		}
		switch kind {
		case watch.Added, watch.Modified:
			m.view.update(seen)
		case watch.Deleted:
			m.view.remove(seen)
		}
		*version = seen.version
	}
}

// openWatch watches what carries this hub's ID, in all namespaces.
func (m *Member) openWatch(ctx context.Context, options metav1.ListOptions) (io.ReadCloser, error) {
	seconds := int64((watchTimeout + rand.N(watchTimeout)).Seconds())
	options.Watch, options.AllowWatchBookmarks, options.TimeoutSeconds = true, true, &seconds
	options.LabelSelector = m.selected()
	return m.rest.Get().AbsPath("apis", derive.Canaries.Group, derive.Canaries.Version, derive.Canaries.Resource).
		SpecificallyVersionedParams(&options, metav1.ParameterCodec, schema.GroupVersion{Version: "v1"}).
		Stream(ctx)
}

// list lists the same.
func (m *Member) list(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	options.LabelSelector = m.selected()
	ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
	defer cancel()
	list, err := m.client.List(ctx, options)
	return list, unrepeated(err)
}

func (m *Member) selected() string { return derive.LabelHub + "=" + m.options.HubID }
