package clusters

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
)

// enter moves the member to a state, for the metric.
func (k *keeper) enter(state State) {
	k.options.Metrics.enter(k.name, state)
}

// connected reports that the member works: to the Secret's owner when that is news, and not at each restart.
func (k *keeper) connected(ctx context.Context, secret *corev1.Secret, id string, first bool) {
	k.enter(Connected)
	klog.FromContext(ctx).Info("Connected", "id", id)
	if first || k.rejoins || k.said != "" {
		k.event(secret, corev1.EventTypeNormal, string(Connected), "Connected to the cluster with ID "+id+".")
	}
	k.said, k.rejoins = "", false
}

// replaced reports that the Secret leads to another cluster than before, whose credential is no longer at hand.
func (k *keeper) replaced(ctx context.Context, secret *corev1.Secret, last, id string) {
	klog.FromContext(ctx).Info("The Secret leads to another cluster; what was put into the one before stays there", "was", last, "is", id)
	k.event(secret, corev1.EventTypeWarning, "Replaced", fmt.Sprintf(
		"The cluster is another than before: its ID is %s and was %s. What was put into the one before stays there. %s", id, last, k.options.CleanupHint))
}

// renewed reports that a changed kubeconfig is in use.
func (k *keeper) renewed(ctx context.Context, secret *corev1.Secret, id string) {
	k.said = ""
	klog.FromContext(ctx).Info("Went over to the changed kubeconfig", "id", id)
	k.event(secret, corev1.EventTypeNormal, "Renewed", "The changed kubeconfig works and is in use.")
}

// refuse reports why the member does not work, once per reason.
func (k *keeper) refuse(ctx context.Context, secret *corev1.Secret, err error) {
	state := StateOf(err)
	k.enter(state)
	if k.warn(ctx, secret, string(state), err.Error()) && k.named {
		k.miss(secret, state, err.Error())
	}
}

// refuseLeaving reports why a member that is being deregistered is not clean yet.
func (k *keeper) refuseLeaving(ctx context.Context, secret *corev1.Secret, err error) {
	why := "not clean yet: " + err.Error()
	if k.warn(ctx, secret, string(Leaving), why) {
		k.depart(secret, why)
	}
}

// keepOld reports a changed kubeconfig that does not work, while the last one does.
func (k *keeper) keepOld(ctx context.Context, secret *corev1.Secret, err error) {
	const unused = "the changed Secret is not used, the last one still is: "
	if k.warn(ctx, secret, string(StateOf(err)), unused+err.Error()) {
		k.note(func(p *Particulars) { p.Unused = k.redactor.text(unused + err.Error()) })
	}
}

// warn reports a trouble, and returns whether it is another one than was last reported.
func (k *keeper) warn(ctx context.Context, secret *corev1.Secret, reason, message string) (news bool) {
	logger := klog.FromContext(ctx)
	// The same trouble may word itself differently each time: a port, a time. It is told once.
	if k.said == reason+secret.ResourceVersion {
		logger.V(2).Info("Still not usable", "reason", reason, "message", message)
		return false
	}
	k.said = reason + secret.ResourceVersion
	logger.Info("Not usable", "reason", reason, "message", message)
	k.event(secret, corev1.EventTypeWarning, reason, message)
	return true
}

func (k *keeper) event(secret *corev1.Secret, kind, reason, message string) {
	message = k.redactor.text(message)
	k.options.Recorder.Event(&corev1.ObjectReference{
		APIVersion: "v1", Kind: "Secret", Namespace: secret.Namespace, Name: secret.Name, UID: secret.UID,
	}, kind, reason, message[:min(len(message), maxEventMessage)])
	k.events.add(Event{Time: k.options.Clock.Now(), Warning: kind == corev1.EventTypeWarning, Reason: reason, Message: message})
	k.handler.Reported()
}

// maxEventMessage keeps an Event readable, and within what the API server accepts.
const maxEventMessage = 1000
