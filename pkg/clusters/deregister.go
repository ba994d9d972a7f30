package clusters

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
)

// deregister cleans the member of a Secret that is being deleted, and lets the Secret go. The finalizer has kept
// the credential until now; a member that can't be cleaned keeps it no longer than DeregisterTimeout. It returns errChanged
// if the Secret is a registration again, or gone; another error means that it could not be let go.
func (k *keeper) deregister(ctx context.Context, secret *corev1.Secret) error {
	k.unname() // another Secret may register the agent from now on
	if !hasFinalizer(secret) {
		return nil // nothing was ever written there, or it has been cleaned
	}
	k.enter(Leaving)
	if k.agent == "" {
		k.assume(k.lastAgent(secret))
	}
	k.depart(secret, "")
	defer k.handler.Departed(k.name)
	ctx = klog.NewContext(ctx, klog.LoggerWithValues(klog.FromContext(ctx), "agent", k.agent))
	logger := klog.FromContext(ctx)
	// Counted from here and not from the Secret's deletion: a fanout that was away then has its full time to clean.
	bounded, cancel := context.WithTimeout(ctx, k.options.DeregisterTimeout)
	defer cancel()
	for retry := k.newRetry(); ; {
		secret = k.latest()
		if secret == nil || !k.options.Formats.isLeaving(secret) || !k.isMine(secret) {
			return errChanged
		}
		if secret.Annotations[AnnotationOnDeregister] == OnDeregisterKeep {
			logger.Info("Deregistered; what was put into the member stays", "annotation", AnnotationOnDeregister)
			k.event(secret, corev1.EventTypeNormal, "Deregistered", "What was put into the member stays there, as "+AnnotationOnDeregister+" asks.")
			return k.letGo(ctx)
		}
		err := k.drainUntilChanged(bounded, secret)
		switch {
		case ctx.Err() != nil:
			return nil // fanout stops; the next one goes on
		case err == nil:
			logger.Info("Deregistered; the member is clean")
			k.event(secret, corev1.EventTypeNormal, "Deregistered", "All that was put into the member is gone from it.")
			return k.letGo(ctx)
		case errors.Is(err, errElsewhere):
			return err
		case bounded.Err() == nil && errors.Is(err, errChanged):
			retry = k.newRetry()
			continue
		case bounded.Err() == nil:
			k.refuseLeaving(ctx, secret, err)
			k.pause(bounded, retry.Step())
		}
		if bounded.Err() != nil && ctx.Err() == nil {
			message := fmt.Sprintf("The member could not be cleaned within %s: %v. %s",
				k.options.DeregisterTimeout.Round(time.Second), err, k.options.CleanupHint)
			logger.Error(err, "Deregistered without cleaning the member", "timeout", k.options.DeregisterTimeout)
			k.event(secret, corev1.EventTypeWarning, "CleanupTimedOut", message)
			return k.letGo(ctx)
		}
	}
}

// drainUntilChanged is drain, broken off with errChanged when the Secret changes: it may ask for something else now.
func (k *keeper) drainUntilChanged(ctx context.Context, secret *corev1.Secret) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- k.drain(ctx, secret) }()
	select {
	case err := <-drained:
		return err
	case <-k.wake:
		cancel()
		if err := <-drained; err == nil {
			return nil
		}
		return errChanged
	}
}

// drain makes one attempt to reach the member and to have it cleaned.
func (k *keeper) drain(ctx context.Context, secret *corev1.Secret) (err error) {
	config, err := k.options.Formats.configOf(secret)
	if err != nil {
		return err
	}
	conn, err := k.connect(config)
	if err != nil {
		return err
	}
	defer conn.close()
	current := &line{}
	current.swap(conn)
	client, err := newClient(k.agent, current)
	if err != nil {
		return err
	}
	id, err := probe(ctx, client, current.server(), k.options.ProbeTimeout)
	if err != nil {
		return err
	}
	ctx, end, err := k.begin(ctx, id)
	if err != nil {
		return err
	}
	defer func() { err = end(err) }()
	// Where another agent is the same cluster, what stands there is that agent's. A claim as young as this one
	// evicts nobody.
	mine := k.claim(k.options.Clock.Now())
	if err := k.claims.take(id, mine, k.poke); err != nil {
		return nil
	}
	defer k.claims.release(id, k.name)
	agent := k.agent
	if err := k.names.take(agent, mine, k.poke); err != nil {
		agent += "@" + k.name // another cluster has the name now, and the handler is to tell the two apart
	}
	defer k.names.leave(k.agent, k.name)
	return k.handler.Drain(ctx, &Member{
		Agent: agent, ID: id, Client: client, Redact: k.redactor.text,
		Warn: func(reason, message string) { k.event(secret, corev1.EventTypeWarning, reason, message) },
	})
}
