package clusters

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
)

// assume makes agent the name of the member, and gives up the one before.
func (k *keeper) assume(agent string) {
	if k.agent == agent {
		return
	}
	k.unuse()
	k.names.leave(k.agent, k.name)
	k.agent = agent
}

// claim is the Secret's, as old as that.
func (k *keeper) claim(created time.Time) claim {
	return claim{secret: k.name, created: created, evict: k.evict}
}

// sameMember returns errChanged if the Secret registers another agent, or opens the member to other namespaces, than when the
// member joined by it. The member is then taken back and handed over anew: the handler finds what it put there before.
func (k *keeper) sameMember(ctx context.Context, joined, secret *corev1.Secret, agent string) error {
	switch {
	case agent != k.agent:
		klog.FromContext(ctx).Info("The Secret registers another agent now", "was", k.agent, "is", agent)
		return errChanged
	case !sameNamespaces(joined, secret):
		klog.FromContext(ctx).Info("The member is open to other namespaces now", "annotation", AnnotationNamespaces)
		return errChanged
	}
	return nil
}

// lastAgent is what the member was registered as, as far as a Secret that may have lost its label still tells.
func (k *keeper) lastAgent(secret *corev1.Secret) string {
	agent, err := k.options.Formats.agentOf(secret)
	if err != nil {
		return k.name
	}
	return agent
}
