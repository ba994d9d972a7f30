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

// renamed returns errChanged if agent is not what the member is kept as. It is then taken back, and handed over under
// its new name: the handler finds what it put there under the old one.
func (k *keeper) renamed(ctx context.Context, agent string) error {
	if agent == k.agent {
		return nil
	}
	klog.FromContext(ctx).Info("The Secret registers another agent now", "was", k.agent, "is", agent)
	return errChanged
}

// lastAgent is what the member was registered as, as far as a Secret that may have lost its label still tells.
func (k *keeper) lastAgent(secret *corev1.Secret) string {
	agent, err := k.options.Formats.agentOf(secret)
	if err != nil {
		return k.name
	}
	return agent
}
