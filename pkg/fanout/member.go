package fanout

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"

	"fanout/pkg/clusters"
	"fanout/pkg/selector"
)

// hub is what a member's controller is told of the hub.
type hub interface {
	// synced is closed once the hub's Canaries are known. Before that nothing is written and nothing pruned.
	synced() <-chan struct{}
	// demand says what should stand at key in agent's cluster. parent is the Canary to report to, nil where there is none.
	demand(agent string, key types.NamespacedName) (want demand, parent *parent)
	// confirmVanished returns an error unless the hub, asked after since, can be believed that a parent it
	// does not list is gone, where the copy was created then.
	confirmVanished(ctx context.Context, since, created time.Time) error
}

// member is the controller of one member: a view of what it holds, a queue of places to look at and a bounded
// number of workers. It knows neither how the hub decides nor any other member.
type member struct {
	agent  string
	client dynamic.NamespaceableResourceInterface
	spaces dynamic.ResourceInterface
	// allowed are the hub's namespaces from which the member takes Canaries.
	allowed selector.Namespaces
	hub     hub
	options Options
	metrics *memberMetrics
	// warn tells the owner of the parent of a derived Canary what is wrong with that copy.
	warn func(agent string, key types.NamespacedName, reason, message string)
	// warnOwner, where there is one, tells the owner of the member itself.
	warnOwner func(reason, message string)
	// redact, where there is one, takes the member's credentials out of its words.
	redact func(string) string

	queue workqueue.TypedRateLimitingInterface[types.NamespacedName]
	view  *view

	mu sync.Mutex
	// settled is the content last found right for a hash that it differs from: others may add fields, and a
	// member's schema may add defaults.
	settled map[types.NamespacedName]settlement
	fights  fights
	// failing is the reason for which a place is not as it should be, as last reported.
	failing map[types.NamespacedName]string
	// awaited says since when a copy is seen to be terminating.
	awaited map[types.NamespacedName]time.Time
	// ownerTold is when the member's owner was last told of such copies.
	ownerTold time.Time
}

type settlement struct{ hash, content string }

func newMember(joined *clusters.Member, hub hub, options Options,
	warn func(agent string, key types.NamespacedName, reason, message string),
) *member {
	m := &member{
		agent:   joined.Agent,
		client:  joined.Client.Resource(Canaries),
		spaces:  joined.Client.Resource(namespaces),
		allowed: joined.Namespaces,
		hub:     hub,
		options: options,
		metrics: options.Metrics.forMember(joined.Agent),
		warn:    warn,

		warnOwner: joined.Warn,
		redact:    joined.Redact,

		queue:   workqueue.NewTypedRateLimitingQueue[types.NamespacedName](newBackoff()),
		settled: map[types.NamespacedName]settlement{},
		fights:  fights{},
		failing: map[types.NamespacedName]string{},
		awaited: map[types.NamespacedName]time.Time{},
	}
	m.view = newView(m.queue.Add)
	m.view.replaced = m.retryFailing
	return m
}

// run keeps the member in step until ctx ends, and returns when everything it started has stopped.
func (m *member) run(ctx context.Context) {
	var running sync.WaitGroup
	defer m.metrics.forget() // last: what still runs counts
	defer running.Wait()
	running.Go(func() { m.watch(ctx) })
	running.Go(func() {
		<-ctx.Done()
		m.queue.ShutDown()
	})

	for _, ready := range []<-chan struct{}{m.hub.synced(), m.view.synced} {
		select {
		case <-ready:
		case <-ctx.Done():
			return
		}
	}
	// A worker is started per item rather than kept: an idle member costs no goroutines.
	slots := make(chan struct{}, m.options.ConcurrentSyncs)
	for {
		slots <- struct{}{}
		key, shutdown := m.queue.Get()
		if shutdown {
			return
		}
		running.Go(func() {
			defer func() { <-slots }()
			m.processWorkItem(ctx, key)
		})
	}
}

// processWorkItem is the one place where an error turns into a delay. No key is ever dropped on an error that
// another attempt may mend.
func (m *member) processWorkItem(ctx context.Context, key types.NamespacedName) {
	defer m.queue.Done(key)
	err := m.sync(ctx, key)
	if ctx.Err() != nil {
		return // stopping: the next run starts from what is really there
	}
	m.note(ctx, key, err)

	var later *laterError
	switch {
	case err == nil:
		m.queue.Forget(key)
	case errors.As(err, &later):
		m.queue.Forget(key)
		if later.after > 0 {
			m.queue.AddAfter(key, later.after)
		}
	default:
		m.queue.AddRateLimited(key)
	}
}

// retryFailing tries at once what waits for its turn to be tried again: a fresh list came through, so that whatever
// was wrong (the member away, its CRD missing) may be mended.
func (m *member) retryFailing() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.failing {
		m.queue.Add(key)
	}
}

// note logs and counts an error, and reports it to the parent's owner when it is not the one reported last.
func (m *member) note(ctx context.Context, key types.NamespacedName, err error) {
	m.metrics.synced(m.view.len(), m.queue.Len())
	why := ""
	if err != nil {
		why = reason(err)
		m.metrics.failed(why)
	}
	m.mu.Lock()
	known := m.failing[key]
	if why == "" {
		delete(m.failing, key)
	} else {
		m.failing[key] = why
	}
	m.mu.Unlock()

	logger := klog.FromContext(ctx)
	switch {
	case why == known && why != "":
		logger.V(2).Info("Still out of sync", "canary", key, "reason", why, "err", err)
	case why != "":
		logger.Error(err, "Sync", "canary", key, "reason", why)
		message := err.Error()
		if m.redact != nil {
			message = m.redact(message)
		}
		m.warn(m.agent, key, why, message)
	case known != "":
		logger.Info("In sync again", "canary", key)
	}
}

// sync brings one place in the member to what the hub asks for.
func (m *member) sync(ctx context.Context, key types.NamespacedName) error {
	ctx = klog.NewContext(ctx, klog.LoggerWithValues(klog.FromContext(ctx), "canary", key))
	started := m.options.Clock.Now()
	want, parent := m.hub.demand(m.agent, key)
	refused := want.canary != nil && !m.allowed.Matches(key.Namespace)
	if refused {
		want = demand{}
	}
	have := m.view.get(key)
	if have == nil || !have.terminating {
		m.gone(key)
	}

	switch decide(want, have, m.settledContent(key, want.hash)) {
	case actionCreate, actionUpdate:
		if err := m.yield(key, want.hash); err != nil {
			return err
		}
		return m.apply(ctx, key, want, have, parent)
	case actionVerify:
		if err := m.yield(key, want.hash); err != nil {
			return err
		}
		return m.verify(ctx, key, want, parent)
	case actionDelete:
		if parent.vanished() {
			if err := m.hub.confirmVanished(ctx, started, time.Unix(have.created, 0)); err != nil {
				return err
			}
		}
		return m.prune(ctx, key, have)
	case actionWait:
		return m.await(ctx, key, parent)
	case actionNone: // the watch says when there is something to do
	}
	if have == nil && want.hash == "" && !want.frozen {
		m.forget(key)
	}
	if refused {
		return &laterError{err: errNamespaceNotAllowed}
	}
	return nil
}

// yield returns a laterError when writing hash to key now would be fighting with another writer.
func (m *member) yield(key types.NamespacedName, hash string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if delay := m.fights.delay(key, hash, m.options.Clock.Now()); delay > 0 {
		return &laterError{after: delay, err: errContested}
	}
	return nil
}

func (m *member) settledContent(key types.NamespacedName, hash string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.settled[key]; s.hash == hash {
		return s.content
	}
	return ""
}

// settle remembers that o, whatever its content, is what want asks for.
func (m *member) settle(key types.NamespacedName, want demand, o *observed) {
	m.view.record(key, o)
	m.mu.Lock()
	defer m.mu.Unlock()
	if o.content == want.content {
		delete(m.settled, key)
	} else {
		m.settled[key] = settlement{hash: want.hash, content: o.content}
	}
}

func (m *member) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.settled, key)
	delete(m.fights, key)
}
