package clusters

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
)

// renew goes over to the Secret's present content, once its kubeconfig has been proven to lead to the same cluster.
// Until then, and if it never does, what the member joined by stays in use.
func (k *keeper) renew(ctx context.Context, joined, secret *corev1.Secret, id string, current *line) error {
	if secret != nil && secret == k.inUse {
		return nil
	}
	if secret == nil || k.options.Formats.switchedOff(secret) != nil {
		return errChanged
	}
	config, err := k.options.Formats.configOf(secret)
	if err != nil {
		k.keepOld(ctx, secret, err)
		return nil
	}
	agent, err := k.options.Formats.agentOf(secret)
	if err != nil {
		k.keepOld(ctx, secret, err)
		return nil
	}
	if _, err := namespacesOf(secret); err != nil {
		k.keepOld(ctx, secret, err)
		return nil
	}
	if config.Hash() == current.current.Load().hash {
		if err := k.sameMember(ctx, joined, secret, agent); err != nil {
			return err
		}
		k.inUse = secret
		k.noteSecret(secret)
		return nil
	}
	next, err := k.connect(config)
	if err != nil {
		k.keepOld(ctx, secret, err)
		return nil
	}
	candidate := &line{}
	candidate.swap(next)
	client, err := newClient(k.agent, candidate)
	if err == nil {
		var found string
		found, err = probe(ctx, client, candidate.server(), k.options.ProbeTimeout)
		if err == nil && found != id {
			next.close()
			klog.FromContext(ctx).Info("The Secret leads to another cluster now", "was", id, "is", found)
			return errChanged
		}
	}
	if err != nil {
		next.close()
		k.keepOld(ctx, secret, err)
		return nil
	}
	if err := k.sameMember(ctx, joined, secret, agent); err != nil {
		next.close()
		return err
	}
	current.swap(next)
	k.renewed(ctx, secret, id)
	k.use(ctx, secret, config)
	k.inUse = secret
	k.noteSecret(secret)
	return nil
}

// sameMember returns errChanged if the Secret registers another agent, or opens the member to other namespaces, than when the
// member joined by it. The member is then taken back and handed over anew: the handler finds what it put there before.
func (k *keeper) sameMember(ctx context.Context, joined, secret *corev1.Secret, agent string) error {
	switch {
	case agent != k.agent:
		klog.FromContext(ctx).Info("The Secret registers another agent now", "was", k.agent, "is", agent)
	case !sameNamespaces(joined, secret):
		klog.FromContext(ctx).Info("The member is open to other namespaces now", "annotation", AnnotationNamespaces)
	default:
		return nil
	}
	k.rejoins = true
	return errChanged
}
