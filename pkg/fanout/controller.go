package fanout

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/fanout/member"
	"fanout/pkg/results"
	"fanout/pkg/selector"
)

// Controller fans the hub's Canaries out into the members that it is told of. It implements clusters.Handler.
type Controller struct {
	options Options
	client  rest.Interface
	guard   *crdGuard
	parents cache.Store // of *parent
	hub     cache.Controller
	ready   chan struct{} // closed when parents is complete

	statuses *statuses
	mirrors  *mirrors
	changes  changes

	mu       sync.RWMutex
	members  map[string]*running
	agents   map[string]*known // all that are registered, whether or not their members are joined
	numbered uint32            // how many agents there ever were
	leaving  map[string]*known // agents that are none any more, by the Secrets that wait for their members to be clean
}

// running is a member's controller at work.
type running struct {
	*member.Member
	*agent
	id      string // the cluster's
	stop    context.CancelFunc
	stopped chan struct{}
}

var _ clusters.Handler = (*Controller)(nil)

// New returns a controller for the Canaries of the hub that client leads to. It does nothing before Run.
func New(client rest.Interface, options Options) *Controller {
	canaries := dynamic.New(client)
	c := &Controller{
		options: options,
		client:  client,
		guard:   newCRDGuard(canaries, options.RequestTimeout, options.Clock),
		ready:   make(chan struct{}),
		members: map[string]*running{},
		agents:  map[string]*known{},
		leaving: map[string]*known{},
		changes: changes{clock: options.Clock},
	}
	c.options.results = &results.Reader{}
	c.statuses = newStatuses(c)
	c.mirrors = newMirrors(c)
	c.parents, c.hub = cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: clusters.NoticeRestore(hubCanaries(client, options.RequestTimeout)),
		ObjectType:    &unstructured.Unstructured{},
		Transform:     newParent(options.HubID, options.Clock.Now, c.recallsUntil()),
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { c.changed(nil, obj) },
			UpdateFunc: func(old, obj any) { c.changed(old, obj) },
			DeleteFunc: func(old any) { c.changed(old, nil) },
		},
	})
	return c
}

// Run fans out until ctx ends, and returns when all it started has stopped.
func (c *Controller) Run(ctx context.Context) {
	logger := klog.FromContext(ctx)
	var group sync.WaitGroup
	defer c.changes.end()
	defer c.options.Metrics.forgetParents()
	defer group.Wait()
	group.Go(func() { c.hub.RunWithContext(ctx) })
	group.Go(func() {
		select {
		case <-c.hub.HasSyncedChecker().Done():
			logger.Info("Read the hub's Canaries", "count", len(c.parents.ListKeys()))
			close(c.ready)
			c.changes.tell()
		case <-ctx.Done():
		}
	})
	group.Go(func() { c.resync(ctx) })
	group.Go(func() { c.statuses.run(ctx) })
	if c.options.Share == nil { // else no replica knows how many mirrors the others keep
		group.Go(func() { c.mirrors.run(ctx) })
	}
	c.hubIsElsewhere()
	c.options.Share.While(ctx, c.options.HubID, c.workInHub)
}

// workInHub does what is to be done in the hub itself until ctx ends.
func (c *Controller) workInHub(ctx context.Context) {
	c.Join(ctx, &clusters.Member{Agent: derive.LocalAgent, ID: c.options.HubID, Client: c.client, Namespaces: everyNamespace()})
	defer c.hubIsElsewhere()
	defer c.Leave(derive.LocalAgent)
	if c.options.Share != nil { // else nobody else was there to tell of what changed before
		for _, item := range c.parents.List() {
			c.warnIfInvalid(item.(*parent))
		}
	}
	<-ctx.Done()
}

// hubIsElsewhere notes that another replica makes the copies for local, if there are others.
func (c *Controller) hubIsElsewhere() {
	if c.options.Share != nil {
		c.Miss(clusters.Missing{Agent: derive.LocalAgent, Labels: map[string]string{}, State: clusters.Elsewhere})
	}
}

// everyNamespace is the hub's own limit on itself: none.
func everyNamespace() selector.Namespaces {
	namespaces, err := selector.ParseNamespaces("*")
	if err != nil {
		panic(err) // a constant
	}
	return namespaces
}

// Join implements clusters.Handler: it starts to keep member in step. It does not block.
func (c *Controller) Join(ctx context.Context, joined *clusters.Member) {
	c.mu.RLock()
	k := c.agents[joined.Agent]
	var before map[string]string
	if k != nil {
		before = k.labels()
	}
	c.mu.RUnlock()
	c.start(ctx, joined, c.join, func(a *agent) member.Hub { return asked{c, a} })
	c.statuses.outdate(joined.Agent)
	c.statuses.lookForFormer(joined.Agent, before, joined.Labels)
}

// Relabel implements clusters.Handler: it has the member look at what it is selected for by other labels than before.
func (c *Controller) Relabel(agent string, labels map[string]string) {
	c.mu.RLock()
	m := c.members[agent]
	c.mu.RUnlock()
	if m == nil {
		return
	}
	before := m.relabel(labels)
	c.changes.tell()
	for _, item := range c.parents.List() {
		if p := item.(*parent); p.matches(agent, before) != p.matches(agent, labels) {
			m.Look(derive.Place(p.key(), agent))
			c.statuses.look(p.key(), true)
		}
	}
}

// Leave implements clusters.Handler: it returns when nothing more is done in the member.
func (c *Controller) Leave(agent string) {
	c.mu.Lock()
	m := c.members[agent]
	delete(c.members, agent)
	c.leave(m)
	c.mu.Unlock()
	c.changes.tell()
	if m != nil {
		m.stop()
		<-m.stopped
	}
}

// Drain implements clusters.Handler: it deletes from the member what this hub derived there, and returns nil
// when it is all gone.
func (c *Controller) Drain(ctx context.Context, leaving *clusters.Member) error {
	m := c.start(ctx, leaving, nil, func(a *agent) member.Hub { return nothingWanted{asked{c, a}} })
	defer c.Leave(leaving.Agent)
	left := -1
	err := wait.PollUntilContextCancel(ctx, drainPoll, true, func(context.Context) (bool, error) {
		if held, known := m.Held(); known {
			left = held
		}
		return left == 0, nil
	})
	switch {
	case err == nil:
		return nil
	case left < 0:
		return fmt.Errorf("list the derived Canaries in %q: %w", leaving.Agent, err)
	default:
		return fmt.Errorf("%d derived Canaries are still in %q: %w", left, leaving.Agent, err)
	}
}

// drainPoll is how often a draining member's view is looked at; it costs no request.
const drainPoll = 20 * time.Millisecond

// start starts to work in a member. It calls begun, where there is one, while it has the lock, so that the member is known as that.
func (c *Controller) start(ctx context.Context, joined *clusters.Member, begun func(*running), hub func(*agent) member.Hub) *running {
	logger := klog.LoggerWithValues(klog.FromContext(ctx), "agent", joined.Agent)
	ctx, cancel := context.WithCancel(klog.NewContext(ctx, logger))
	a := newAgent(joined)
	m := &running{
		Member:  member.New(joined, hub(a), c.options.ofMembers()),
		agent:   a,
		id:      joined.ID,
		stop:    cancel,
		stopped: make(chan struct{}),
	}
	c.mu.Lock()
	c.members[joined.Agent] = m
	if begun != nil {
		begun(m)
	}
	c.mu.Unlock()
	c.changes.tell()
	// Registered first and enqueued after: a parent that changes in between is seen by one of the two.
	c.enqueueAll(m)
	go func() {
		defer close(m.stopped)
		m.Run(ctx)
	}()
	return m
}

// changed enqueues what a changed Canary of the hub concerns.
func (c *Controller) changed(before, after any) {
	old, new := asParent(before), asParent(after)
	c.options.Metrics.parentChanged(old, new)
	c.statuses.changed(old, new)
	c.mirrors.changed(old, new)
	c.changes.tell()
	if old != nil && new != nil && old.sameAs(new) {
		return
	}
	if new != nil && c.options.Share.Mine(c.options.HubID) {
		c.warnIfInvalid(new)
	}
	key := keyOf(old, new)
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, m := range c.members {
		derived := derive.Place(key, m.name)
		if m.isIn(old) || m.isIn(new) || m.Holds(derived) {
			m.Look(derived)
		}
	}
}

// warnIfInvalid tells p's owner of a selector that does not parse.
func (c *Controller) warnIfInvalid(p *parent) {
	if p.invalid != nil {
		c.options.Recorder.Event(reference(p), corev1.EventTypeWarning, "InvalidAgentSelector",
			p.invalid.Error()+". What was derived before stays as it is until the selector is valid again.")
	}
}

// enqueueAll enqueues all that m should hold. What it holds beyond that is enqueued by its view.
func (c *Controller) enqueueAll(m *running) {
	for _, item := range c.parents.List() {
		if p := item.(*parent); m.isIn(p) {
			m.Check(derive.Place(p.key(), m.name))
		}
	}
}

// resync looks at everything once in each ResyncPeriod, one member after the other, evenly spread.
func (c *Controller) resync(ctx context.Context) {
	for {
		c.mu.RLock()
		members := make([]*running, 0, len(c.members))
		for _, m := range c.members {
			members = append(members, m)
		}
		c.mu.RUnlock()
		pause := c.options.ResyncPeriod / time.Duration(len(members)+1)
		for _, m := range append(members, nil) {
			select {
			case <-c.options.Clock.After(pause):
			case <-ctx.Done():
				return
			}
			if m == nil {
				continue
			}
			c.enqueueAll(m)
			m.CheckHeld()
		}
	}
}

// parent returns the Canary in the hub from which key in agent's cluster is derived, or nil.
func (c *Controller) parent(agent string, key types.NamespacedName) *parent {
	place, ok := derive.ParentOf(key, agent)
	if !ok {
		return nil
	}
	item, _, _ := c.parents.GetByKey(cache.NewObjectName(place.Namespace, place.Name).String())
	return asParent(item)
}

func asParent(obj any) *parent {
	if tombstone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = tombstone.Obj
	}
	p, _ := obj.(*parent)
	return p
}

func keyOf(old, new *parent) types.NamespacedName {
	if new != nil {
		return new.key()
	}
	return old.key()
}

func reference(p *parent) *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion: derive.Canaries.GroupVersion().String(), Kind: derive.Kind,
		Namespace: p.GetNamespace(), Name: p.GetName(), UID: p.GetUID(), ResourceVersion: p.GetResourceVersion(),
	}
}
