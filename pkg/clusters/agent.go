package clusters

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// assume makes agent the name of the member, and gives up the one before.
func (k *keeper) assume(agent string) {
	if k.agent == agent {
		return
	}
	k.unuse()
	k.unname()
	k.agent = agent
}

// unname wants the agent's name no longer.
func (k *keeper) unname() {
	k.withdraw()
	k.names.leave(k.agent, k.name)
}

// withdraw tells the handler that the agent is not this Secret's any more.
func (k *keeper) withdraw() {
	if k.named {
		k.handler.Forget(k.agent)
		k.named = false
	}
}

// introduce tells the handler of the agent, whose name is the Secret's now.
func (k *keeper) introduce(secret *corev1.Secret) {
	if !k.named {
		k.named = true
		k.miss(secret, Connecting, "")
		k.tellParticulars()
	}
	k.count(k)
}

// miss tells the handler how the agent is doing that can't be worked with.
func (k *keeper) miss(secret *corev1.Secret, state State, detail string) {
	detail = strings.TrimPrefix(detail, strings.ToLower(string(state))+": ") // as errors of its kind begin
	k.handler.Miss(k.missing(secret, state, detail))
}

// missing says how the agent is doing, since now.
func (k *keeper) missing(secret *corev1.Secret, state State, detail string) Missing {
	labels := withoutMarks(secret.Labels)
	if k.options.Formats.formatOf(secret) == ClusterAPI {
		labels = k.labels // which are its Cluster's, too
	}
	return Missing{Agent: k.agent, Labels: labels, State: state, Detail: k.redactor.text(detail), Since: k.options.Clock.Now()}
}

// depart tells the handler of the agent while its member is being cleaned.
func (k *keeper) depart(secret *corev1.Secret, detail string) {
	leaving := k.missing(secret, Leaving, detail)
	if secret.DeletionTimestamp != nil {
		leaving.Since = secret.DeletionTimestamp.Time
	}
	k.handler.Depart(leaving, k.particulars)
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
