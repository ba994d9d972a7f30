package member

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/results"
	"fanout/pkg/selector"
)

// Member is the controller of one member: a view of what it holds, a queue of places to look at and a bounded
// number of workers.
type Member struct {
	agent  string
	rest   rest.Interface // what client is made of, for answers that are not decoded
	client dynamic.NamespaceableResourceInterface
	spaces dynamic.ResourceInterface
	// allowed are the hub's namespaces from which the member takes Canaries.
	allowed selector.Namespaces
	hub     Hub
	options Options
	metrics *memberMetrics
	// warnOwner, where there is one, tells the owner of the member itself.
	warnOwner func(reason, message string)
	// redact, where there is one, takes the member's credentials out of its words.
	redact func(string) string

	queue *queue
	view  *view

	mu sync.Mutex
	// ownerTold is when the member's owner was last told of copies that are held while they are deleted.
	ownerTold time.Time
	// lack is why nothing can be heard from the member although it can be reached.
	lack results.Condition
}

// namespaces are what copies stand in.
var namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}

// New returns the controller of a member, which does nothing before Run.
func New(joined *clusters.Member, hub Hub, options Options) *Member {
	client := dynamic.New(joined.Client)
	m := &Member{
		agent:   joined.Agent,
		rest:    joined.Client,
		client:  client.Resource(derive.Canaries),
		spaces:  client.Resource(namespaces),
		allowed: joined.Namespaces,
		hub:     hub,
		options: options,
		metrics: options.Metrics.forMember(joined.Agent),

		warnOwner: joined.Warn,
		redact:    joined.Redact,
	}
	m.queue = newQueue(options.ConcurrentSyncs, options.Clock)
	m.view = newView(m.Look)
	m.view.listed = m.Check
	m.view.heard = hub.Heard
	m.view.replaced = func(first bool) {
		if m.lacks("", "") || first {
			hub.HeardAll()
		}
		m.retryFailing()
	}
	return m
}

// Look has the member compare a place with what the hub asks for there, since one of the two changed.
func (m *Member) Look(key types.NamespacedName) { m.queue.add(key, prompt) }

// Check has it do so when it has nothing else to do.
func (m *Member) Check(key types.NamespacedName) { m.queue.add(key, patient) }

// CheckHeld has it do so with all that it holds.
func (m *Member) CheckHeld() {
	for _, key := range m.view.keys() {
		m.Check(key)
	}
}

// Holds tells whether something of this hub's is known to stand at key.
func (m *Member) Holds(key types.NamespacedName) bool { return m.view.get(key) != nil }

// Held returns how many Canaries of this hub's the member holds, once that is known.
func (m *Member) Held() (count int, known bool) {
	select {
	case <-m.view.synced:
		return m.view.len(), true
	default:
		return 0, false
	}
}

// Run keeps the member in step until ctx ends, and returns when everything it started has stopped.
func (m *Member) Run(ctx context.Context) {
	m.queue.work = func(key types.NamespacedName) { m.process(ctx, key) }
	var opening sync.WaitGroup
	opening.Go(func() {
		for _, ready := range []<-chan struct{}{m.hub.Synced(), m.view.synced} {
			select {
			case <-ready:
			case <-ctx.Done():
				return
			}
		}
		m.queue.open()
	})
	m.watch(ctx)
	m.queue.shut()
	opening.Wait()
	m.queue.wait()
	m.metrics.forget() // last: what still runs counts
}

// process is the one place where an error turns into a delay. No key is ever dropped on an error that another attempt
// may mend.
func (m *Member) process(ctx context.Context, key types.NamespacedName) {
	err := m.sync(ctx, key)
	if ctx.Err() != nil {
		return // stopping: the next run starts from what is really there
	}
	m.note(ctx, key, err)

	var later *laterError
	switch {
	case err == nil:
		m.queue.forget(key)
	case errors.As(err, &later):
		m.queue.forget(key)
		if later.after > 0 {
			m.queue.addAfter(key, later.after)
		}
	default:
		m.queue.fail(key)
	}
}

// retryFailing tries at once what waits for its turn to be tried again: a fresh list came through, so that whatever
// was wrong (the member away, its CRD missing) may be mended.
func (m *Member) retryFailing() {
	for _, key := range m.view.failing() {
		m.Check(key)
	}
}

// note logs and counts an error, and reports it to the parent's owner when it is not the one reported last.
func (m *Member) note(ctx context.Context, key types.NamespacedName, err error) {
	m.metrics.synced(m.view.len(), m.queue.len())
	why, message := "", ""
	if err != nil {
		why, message = reason(err), m.redacted(err.Error())
		m.metrics.failed(why)
	}
	known := m.failing(key, why, message)

	logger := klog.FromContext(ctx)
	switch {
	case why == known && why != "":
		logger.V(2).Info("Still out of sync", "canary", key, "reason", why, "err", err)
	case why != "":
		logger.Error(err, "Sync", "canary", key, "reason", why)
		m.hub.Warn(key, why, message)
	case known != "":
		logger.Info("In sync again", "canary", key)
	}
}

// sync brings one place in the member to what the hub asks for.
func (m *Member) sync(ctx context.Context, key types.NamespacedName) error {
	started := m.options.Clock.Now()
	want, refused := m.demand(key)
	have := m.view.get(key)
	if have == nil || !have.terminating {
		m.gone(key)
	}

	action := decide(want, have, m.view.settled(key, want.Hash))
	if action != actionNone {
		defer m.hub.Heard(key, true)
	}
	switch action {
	case actionCreate, actionUpdate:
		if err := m.yield(key, want.Hash); err != nil {
			return err
		}
		return m.apply(ctx, key, want, have)
	case actionVerify:
		if err := m.yield(key, want.Hash); err != nil {
			return err
		}
		return m.verify(ctx, key, want)
	case actionDelete:
		if want.Parent != SomeParent {
			if err := m.hub.ConfirmVanished(ctx, started, time.Unix(have.created, 0)); err != nil {
				return err
			}
		}
		return m.prune(ctx, key, have)
	case actionWait:
		return m.await(ctx, key, want.Parent)
	case actionNone: // the watch says when there is something to do
	}
	if have == nil && want.Hash == "" && !want.Frozen {
		m.view.forget(key)
	}
	if refused {
		return &laterError{err: errNamespaceNotAllowed}
	}
	return nil
}

// yield returns a laterError when writing hash to key now would be fighting with another writer.
func (m *Member) yield(key types.NamespacedName, hash string) error {
	if delay := m.view.delay(key, hash, m.options.Clock.Now()); delay > 0 {
		return &laterError{after: delay, err: errContested}
	}
	return nil
}

// settle remembers that o, whatever its content, is what want asks for.
func (m *Member) settle(key types.NamespacedName, want Demand, o *observed) {
	m.view.record(key, o)
	m.view.at(key, func(p *place) {
		switch {
		case o.content != want.Content:
			p.noted().settled = settlement{hash: want.Hash, content: o.content}
		case p.remarks != nil:
			p.remarks.settled = settlement{}
		}
	})
}
