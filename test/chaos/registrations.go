package chaos

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"fanout/pkg/clusters"
	"fanout/test/fixture"
)

const twinSuffix = "-twin"

func (r *round) register(n numbers) string {
	name := members[n[0]%len(members)]
	return r.registerAs(name, name, n[1])
}

// registerTwin registers a member a second time, under another name.
func (r *round) registerTwin(n numbers) string {
	name := members[n[0]%len(members)]
	r.disturb(name)
	return r.registerAs(name+twinSuffix, name, n[1])
}

func (r *round) registerAs(agent, target string, which int) string {
	ctx, cancel := request(r.t)
	defer cancel()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: agent, Labels: map[string]string{clusters.LabelSecretType: clusters.SecretTypeCluster}},
		Data:       map[string][]byte{clusters.KubeconfigKey: r.kubeconfig(target, which)},
	}
	created, err := r.createSecret(ctx, secret, labelSets[slices.Index(members, target)])
	switch {
	case apierrors.IsAlreadyExists(err):
		return r.relabel(agent)
	case err != nil:
		r.t.Fatalf("register %s: %v", agent, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.model.left, agent)
	r.model.secrets[agent] = &registration{agent: agent, created: created.CreationTimestamp.Time, target: target}
	return agent
}

// relabel registers again what was only unlabelled, with a good credential for the cluster that it led to.
func (r *round) relabel(agent string) string {
	r.mu.Lock()
	known, target := r.model.secrets[agent] != nil, r.model.left[agent]
	r.mu.Unlock()
	if known {
		return agent + " is registered"
	}
	ctx, cancel := request(r.t)
	defer cancel()
	secret, err := r.w.hub().Kube.CoreV1().Secrets(system).Get(ctx, agent, metav1.GetOptions{})
	if err != nil || secret.DeletionTimestamp != nil {
		return agent + " is leaving"
	}
	r.disturb(target)
	r.patchSecret(agent, map[string]any{
		"metadata": map[string]any{"labels": map[string]any{clusters.LabelSecretType: clusters.SecretTypeCluster}},
		"data":     map[string]any{clusters.KubeconfigKey: r.kubeconfig(target, 0)},
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.model.left, agent)
	r.model.secrets[agent] = &registration{agent: agent, created: secret.CreationTimestamp.Time, target: target}
	return agent + " has its label again"
}

func (r *round) kubeconfig(target string, which int) []byte {
	identities := r.w.clusters[target].identities
	return fixture.Kubeconfig(r.t, identities[which%len(identities)])
}

// agentBy returns a registered agent, empty where none is.
func (r *round) agentBy(n int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	agents := make([]string, 0, len(r.model.secrets))
	for agent := range r.model.secrets {
		agents = append(agents, agent)
	}
	slices.Sort(agents)
	if len(agents) == 0 {
		return ""
	}
	return agents[n%len(agents)]
}

func (r *round) targetOf(agent string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.model.secrets[agent].target
}

func (r *round) deregister(n numbers) string {
	agent := r.agentBy(n[0])
	if agent == "" {
		return "nobody is registered"
	}
	keep := n[1]%4 == 0
	r.disturb(r.targetOf(agent))
	if keep {
		r.patchSecret(agent, map[string]any{"metadata": map[string]any{"annotations": map[string]any{clusters.AnnotationOnDeregister: clusters.OnDeregisterKeep}}})
	}
	held := r.hasFinalizer(agent)
	ctx, cancel := request(r.t)
	defer cancel()
	if err := r.w.hub().Kube.CoreV1().Secrets(system).Delete(ctx, agent, metav1.DeleteOptions{}); err != nil {
		r.t.Fatalf("deregister %s: %v", agent, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.model.leave(agent, held && !keep)
	return fmt.Sprintf("%s, keep: %t", agent, keep)
}

func (r *round) unlabel(n numbers) string {
	agent := r.agentBy(n[0])
	if agent == "" {
		return "nobody is registered"
	}
	r.disturb(r.targetOf(agent))
	held := r.hasFinalizer(agent)
	r.patchSecret(agent, map[string]any{"metadata": map[string]any{"labels": map[string]any{clusters.LabelSecretType: nil}}})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.model.leave(agent, held)
	return agent
}

// hasFinalizer tells whether fanout's finalizer is on agent's Secret. Without it fanout was never at work through this
// Secret, and may not be until the Secret is gone: what another one that led there left behind is not cleaned then.
func (r *round) hasFinalizer(agent string) bool {
	ctx, cancel := request(r.t)
	defer cancel()
	secret, err := r.w.hub().Kube.CoreV1().Secrets(system).Get(ctx, agent, metav1.GetOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	return slices.Contains(secret.Finalizers, clusters.Finalizer)
}

// rotate gives a Secret another good credential for the cluster that it leads to.
func (r *round) rotate(n numbers) string {
	agent := r.agentBy(n[0])
	if agent == "" {
		return "nobody is registered"
	}
	r.lead(agent, r.targetOf(agent), n[1])
	return agent
}

// lead has agent's Secret lead to target, with a good credential.
func (r *round) lead(agent, target string, which int) {
	r.patchSecret(agent, map[string]any{"data": map[string]any{clusters.KubeconfigKey: r.kubeconfig(target, which)}})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.model.retarget(agent, target)
	r.model.secrets[agent].bad = false
}

func (r *round) spoilCredential(n numbers) string {
	agent := r.agentBy(n[0])
	if agent == "" {
		return "nobody is registered"
	}
	bad := rest.CopyConfig(r.w.clusters[r.targetOf(agent)].identities[0])
	bad.BearerToken = r.w.credentials.newBad()
	r.patchSecret(agent, map[string]any{"data": map[string]any{clusters.KubeconfigKey: fixture.Kubeconfig(r.t, bad)}})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.model.secrets[agent].bad = true
	return agent
}

// leadElsewhere has a Secret lead to another member, or back to its own.
func (r *round) leadElsewhere(n numbers) string {
	agent := r.agentBy(n[0])
	if agent == "" {
		return "nobody is registered"
	}
	target := members[n[1]%len(members)]
	r.disturb(target, r.targetOf(agent))
	r.lead(agent, target, n[2])
	return fmt.Sprintf("%s leads to %s", agent, target)
}

func (r *round) patchSecret(agent string, patch map[string]any) {
	body, err := json.Marshal(patch)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := request(r.t)
	defer cancel()
	if _, err := r.w.hub().Kube.CoreV1().Secrets(system).Patch(ctx, agent, types.MergePatchType, body, metav1.PatchOptions{FieldManager: "user"}); err != nil {
		r.t.Fatalf("patch Secret %s: %v", agent, err)
	}
}
