package clusters

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
)

// deregister cleans the member of a Secret that is being deleted, and lets the Secret go. The finalizer has kept
// the credential until now; a member that can't be cleaned keeps it no longer than DeregisterTimeout. An
// error means that the Secret could not be let go.
func (k *keeper) deregister(ctx context.Context, secret *corev1.Secret) error {
	k.names.leave(k.agent, k.name) // another Secret may register the agent from now on
	if !hasFinalizer(secret) {
		return nil // nothing was ever written there, or it has been cleaned
	}
	k.enter(Leaving)
	if k.agent == "" {
		k.assume(k.lastAgent(secret))
	}
	ctx = klog.NewContext(ctx, klog.LoggerWithValues(klog.FromContext(ctx), "agent", k.agent))
	logger := klog.FromContext(ctx)
	if secret.Annotations[AnnotationOnDeregister] == OnDeregisterKeep {
		logger.Info("Deregistered; what was put into the member stays", "annotation", AnnotationOnDeregister)
		k.event(secret, corev1.EventTypeNormal, "Deregistered", "What was put into the member stays there, as "+AnnotationOnDeregister+" asks.")
		return k.letGo(ctx)
	}

	// Counted from here and not from the Secret's deletion: a fanout that was away then has its full time to clean.
	bounded, cancel := context.WithTimeout(ctx, k.options.DeregisterTimeout)
	defer cancel()
	err := k.drain(bounded)
	for retry := k.newRetry(); err != nil && bounded.Err() == nil; err = k.drain(bounded) {
		k.refuseLeaving(ctx, secret, err)
		k.pause(bounded, retry.Step())
	}
	switch {
	case ctx.Err() != nil:
		return nil // fanout stops; the next one goes on
	case err != nil:
		message := fmt.Sprintf("The member could not be cleaned within %s: %v. %s",
			k.options.DeregisterTimeout.Round(time.Second), err, k.options.CleanupHint)
		logger.Error(err, "Deregistered without cleaning the member", "timeout", k.options.DeregisterTimeout)
		k.event(secret, corev1.EventTypeWarning, "CleanupTimedOut", message)
	default:
		logger.Info("Deregistered; the member is clean")
		k.event(secret, corev1.EventTypeNormal, "Deregistered", "All that was put into the member is gone from it.")
	}
	return k.letGo(ctx)
}

// drain makes one attempt to reach the member and to have it cleaned.
func (k *keeper) drain(ctx context.Context) error {
	secret := k.latest()
	if secret == nil {
		return nil
	}
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
	id, err := probe(ctx, client, k.options.ProbeTimeout)
	if err != nil {
		return err
	}
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
