package clusters

import (
	"time"

	corev1 "k8s.io/api/core/v1"
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

// lastAgent is what the member was registered as, as far as a Secret that may have lost its label still tells.
func (k *keeper) lastAgent(secret *corev1.Secret) string {
	agent, err := k.options.Formats.agentOf(secret)
	if err != nil {
		return k.name
	}
	return agent
}
