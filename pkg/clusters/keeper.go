package clusters

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"fanout/pkg/clusters/kubeconfig"
)

// keeper looks after one Secret and the member behind it. All its I/O is its own goroutine's.
type keeper struct {
	*Registry
	name string // the Secret's

	mu      sync.Mutex
	secret  *corev1.Secret // nil once it is gone
	evicted bool           // an older Secret claims the same cluster, or the same agent
	wake    chan struct{}

	agent string // what the Secret registers its member as, "" before it is known

	named   bool // the agent's name is this Secret's, and the handler knows of the agent
	counted bool // the handler was told of the agent, or there was nothing to tell; the Registry's mu guards it

	inUse    *corev1.Secret                // the version whose content is in use
	id       string                        // of the cluster that was last worked with
	said     string                        // what was last reported
	labels   map[string]string             // that the handler knows of the member
	cluster  *metav1.PartialObjectMetadata // Cluster API's, as last known, nil before it is
	unsure   bool                          // whether that is still so
	rejoins  bool                          // the member is taken back since its Secret says something else of it
	ends     foreseen                      // the end of the credential in use
	redactor redactor

	events      *Events
	particulars *Particulars // never changed, since the handler has it too
}

func newKeeper(r *Registry, secret *corev1.Secret) *keeper {
	k := &keeper{Registry: r, name: secret.Name, secret: secret, wake: make(chan struct{}, 1), events: &Events{}}
	k.particulars = &Particulars{Secret: secret.Name, Events: k.events}
	k.enter(Connecting)
	return k
}

// tell hands the keeper the newest version of its Secret, nil when there is none any more.
func (k *keeper) tell(secret *corev1.Secret) {
	k.mu.Lock()
	k.secret = secret
	k.mu.Unlock()
	k.poke()
}

// evict asks the keeper to give up its claim on its cluster and its agent's name.
func (k *keeper) evict() {
	k.mu.Lock()
	k.evicted = true
	k.mu.Unlock()
	k.poke()
}

func (k *keeper) poke() {
	select {
	case k.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (k *keeper) latest() *corev1.Secret {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.secret
}

func (k *keeper) takeEvicted() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	evicted := k.evicted
	k.evicted = false
	return evicted
}

// run looks after the Secret until it is gone or ctx ends.
func (k *keeper) run(ctx context.Context) {
	ctx = klog.NewContext(ctx, k.redactor.logger(klog.LoggerWithValues(klog.FromContext(ctx), "secret", k.name)))
	retry := k.newRetry()
	for ctx.Err() == nil {
		secret := k.latest()
		switch {
		case secret == nil:
			if k.retire(k) {
				return
			}
			continue
		case !k.isMine(secret):
			k.standBy(ctx, secret)
			retry = k.newRetry()
			continue
		case k.options.Formats.isLeaving(secret):
			k.count(k)
			switch err := k.deregister(ctx, secret); {
			case errors.Is(err, errChanged):
			case errors.Is(err, errElsewhere):
				k.pause(ctx, retry.Step())
			case err != nil:
				klog.FromContext(ctx).Error(err, "Deregister")
				k.pause(ctx, retry.Step())
			default:
				k.pause(ctx, time.Hour) // until the Secret is gone
			}
			continue
		}
		err := k.keep(ctx, secret, retry)
		k.count(k)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, errChanged):
			retry = k.newRetry()
		case errors.Is(err, errElsewhere):
			k.pause(ctx, retry.Step())
		case err != nil:
			k.refuse(ctx, secret, err)
			if errors.Is(err, errRefused) {
				k.pause(ctx, refusedRecheck)
			} else {
				k.pause(ctx, retry.Step())
			}
		}
	}
}

// errChanged says that there is something new to look at.
var errChanged = errors.New("the Secret or its member changed")

// refusedRecheck is how often a refused Secret is looked at again without anything having changed.
const refusedRecheck = 10 * time.Minute

func (k *keeper) newRetry() *wait.Backoff {
	return &wait.Backoff{
		Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 10, Cap: k.options.ProbePeriod,
	}
}

// pause waits, or until there is something new.
func (k *keeper) pause(ctx context.Context, how time.Duration) {
	select {
	case <-ctx.Done():
	case <-k.wake:
	case <-k.options.Clock.After(how):
	}
}

// keep connects to the member and has the handler work with it for as long as that goes well.
func (k *keeper) keep(ctx context.Context, secret *corev1.Secret, retry *wait.Backoff) (err error) {
	k.takeEvicted() // which was about what is taken anew now
	if err := k.options.Formats.switchedOff(secret); err != nil {
		k.assume("")
		return err
	}
	agent, err := k.options.Formats.agentOf(secret)
	if err != nil {
		k.assume("")
		return err
	}
	k.assume(agent)
	if err := k.names.take(agent, k.claim(secret.CreationTimestamp.Time), k.poke); err != nil {
		k.named = false
		k.unuse()
		return err
	}
	k.introduce(secret)
	defer k.names.release(agent, k.name)
	ctx = klog.NewContext(ctx, klog.LoggerWithValues(klog.FromContext(ctx), "agent", agent))
	config, err := k.options.Formats.configOf(secret)
	if err != nil {
		k.unuse()
		return err
	}
	namespaces, err := namespacesOf(secret)
	if err != nil {
		k.unuse()
		return err
	}
	conn, err := k.connect(config)
	if err != nil {
		k.unuse()
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	k.use(ctx, secret, config)
	k.noteSecret(secret)
	current := &line{}
	current.swap(conn)
	defer func() { current.current.Load().close() }()
	client, err := newClient(k.agent, current)
	if err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	id, err := probe(ctx, client, current.server(), k.options.ProbeTimeout)
	if err != nil {
		return err
	}
	last := k.lastID(secret)
	ctx, end, err := k.begin(ctx, id)
	if err != nil {
		if errors.Is(err, errElsewhere) && last != "" && last != id {
			k.replaced(ctx, secret, last, id)
			k.id = ""
		}
		return err
	}
	defer func() { err = end(err) }()
	if err := k.claims.take(id, k.claim(secret.CreationTimestamp.Time), k.poke); err != nil {
		return err
	}
	defer k.claims.release(id, k.name)
	if err := k.awaitLabels(ctx, secret); err != nil {
		return err
	}
	// Before anything is written there: what is held by no finalizer would be left behind.
	first, err := k.hold(ctx, id)
	if err != nil {
		return err
	}
	*retry = *k.newRetry()
	if last != "" && last != id {
		k.replaced(ctx, secret, last, id)
	}
	k.id = id
	k.connected(ctx, secret, id, first)
	k.handler.Join(ctx, &Member{
		Agent: k.agent, Labels: k.labels, ID: id, Client: client, Namespaces: namespaces,
		Warn:   func(reason, message string) { k.event(secret, corev1.EventTypeWarning, reason, message) },
		Redact: k.redactor.text,
	})
	defer k.handler.Leave(k.agent)
	k.inUse = secret
	version := k.askVersion(ctx, client)
	defer version.stop()
	return k.attend(ctx, secret, id, client, current, version)
}

// connect prepares a connection whose credential is printed nowhere.
func (k *keeper) connect(config *kubeconfig.Config) (*connection, error) {
	k.redactor.learn(config.REST())
	return newConnection(config, k.options.UserAgent, k.options.Share.FenceDial)
}

// untilProbe is how long to wait for the next probe. Those of many members are spread over the period, but come several at a time: each
// that comes alone has to wake a process that sleeps, and that is half of what a probe costs.
func (k *keeper) untilProbe() time.Duration {
	const turns = 50 // in a period
	turn := k.options.ProbePeriod / turns
	now := k.options.Clock.Now()
	return now.Add(wait.Jitter(k.options.ProbePeriod, 0.2)).Add(turn).Truncate(turn).Sub(now)
}

// attend probes the member and follows its Secret from the version on that it joined by. It returns when the member has to
// be taken back.
func (k *keeper) attend(ctx context.Context, joined *corev1.Secret, id string, client rest.Interface, current *line, version *asking) error {
	failures := 0
	probeDue := k.options.Clock.NewTimer(k.untilProbe())
	defer probeDue.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-k.wake:
			secret := k.latest()
			if secret == nil || k.options.Formats.isLeaving(secret) || k.takeEvicted() {
				return errChanged
			}
			// It may have been taken off, or the hub been restored to a time before it was put on.
			if !hasFinalizer(secret) || !k.isRecorded(secret, id) {
				if _, err := k.hold(ctx, id); err != nil {
					return err
				}
			}
			if err := k.renew(ctx, joined, secret, id, current); err != nil {
				return err
			}
			k.relabel(ctx, secret)
			continue
		case answer := <-version.answer:
			version.stop()
			k.note(func(p *Particulars) { p.ServerVersion = answer })
			continue
		case <-probeDue.C():
			probeDue.Reset(k.untilProbe())
		}
		// A credential that was bad when it came may be good by now.
		if err := k.renew(ctx, joined, k.latest(), id, current); err != nil {
			return err
		}
		k.foresee(ctx, k.latest())
		if k.unsure {
			k.relabel(ctx, k.latest())
		}
		found, err := probe(ctx, client, current.server(), k.options.ProbeTimeout)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && found != id:
			klog.FromContext(ctx).Info("Another cluster answers behind the same Secret", "was", id, "is", found)
			return errChanged
		case err == nil:
			failures = 0
		default:
			failures++
			klog.FromContext(ctx).Info("Probe failed", "failures", failures, "err", err)
			if failures >= k.options.ProbeFailures {
				return err
			}
		}
	}
}
