package chaos

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// labels are those of a member's Secret, without the one that makes it a registration.
type labels map[string]string

// labelSets are those that a Secret can have: the first ones when members are registered, in their order, and any of them later.
var labelSets = []labels{
	{"tier": "prod", "region": "eu"},
	{"tier": "prod", "region": "us"},
	{"tier": "dev", "region": "ap"},
	{"tier": "prod", "region": "eu", "maintenance": "true"},
	{"tier": "prod", "region": "ap"},
	{"tier": "prod", "region": ""},
	{"tier": "Prod", "region": "eu", "maintenance": "false"},
	{},
}

// byLabels are the label selectors in the lists that operations choose from, each with what it means.
var byLabels = map[string]func(labels) bool{
	"tier=prod":                   func(has labels) bool { return has["tier"] == "prod" },
	"tier=dev":                    func(has labels) bool { return has["tier"] == "dev" },
	"maintenance=true":            func(has labels) bool { return has["maintenance"] == "true" },
	"tier=prod,region in (eu,ap)": func(has labels) bool { return has["tier"] == "prod" && isOneOf([]string{"eu", "ap"}, has["region"]) },
	"region notin (eu)":           func(has labels) bool { return has["region"] != "eu" },
	"region!=us,tier=prod":        func(has labels) bool { return has["region"] != "us" && has["tier"] == "prod" },
}

// had returns all labels that an agent has had in the round: none, once, where it was never registered.
func (m *model) had(agent string) []labels {
	if all := m.labels[agent]; len(all) > 0 {
		return all
	}
	return []labels{nil}
}

// labelsOf returns those that an agent has now.
func (m *model) labelsOf(agent string) labels {
	all := m.had(agent)
	return all[len(all)-1]
}

// createSecret creates the Secret of a member with those labels, too. What comes of it is held back from the watch until they are
// known.
func (r *round) createSecret(ctx context.Context, secret *corev1.Secret, has labels) (*corev1.Secret, error) {
	maps.Copy(secret.Labels, has)
	r.mu.Lock()
	defer r.mu.Unlock()
	created, err := r.w.hub().Kube.CoreV1().Secrets(system).Create(ctx, secret, metav1.CreateOptions{})
	if err == nil {
		r.model.labels[secret.Name] = append(r.model.labels[secret.Name], has)
	}
	return created, err
}

// label gives a registered member's Secret other labels, whatever state fanout, the member and the hub are in.
func (r *round) label(n numbers) string {
	agent := r.agentBy(n[0])
	if agent == "" {
		return "nobody is registered"
	}
	return r.setLabels(agent, labelSets[n[1]%len(labelSets)])
}

// labelAndBack does so for a moment.
func (r *round) labelAndBack(n numbers) string {
	agent := r.agentBy(n[0])
	if agent == "" {
		return "nobody is registered"
	}
	r.mu.Lock()
	before := r.model.labelsOf(agent)
	r.mu.Unlock()
	first := r.setLabels(agent, labelSets[n[1]%len(labelSets)])
	pause(r.t, time.Duration(n[2]%200)*time.Millisecond)
	return first + "; " + r.setLabels(agent, before)
}

// labelAll has every registered member come into a selector of labels, or leave it, when all is quiet: nothing else has fanout look
// then, and no restart has it read labels anew.
func (r *round) labelAll() *failure {
	selector := flipped[int(r.seed)%len(flipped)]
	r.note("label all", r.parent(r.places[int(r.seed)%len(r.places)], selector))
	if failed := r.converge(); failed != nil {
		return failed
	}
	r.mu.Lock()
	agents := slices.Sorted(maps.Keys(r.model.secrets))
	r.mu.Unlock()
	for _, agent := range agents {
		r.mu.Lock()
		now, next := r.model.labelsOf(agent), labelSets[0]
		r.mu.Unlock()
		if selects(selector, agent, now) == selects(selector, agent, next) {
			next = labelSets[2]
		}
		r.note("label all", r.setLabels(agent, next))
	}
	return r.converge()
}

// flipped are selectors of which each selects one of the first and the third of labelSets.
var flipped = [][]string{{"tier=prod"}, {"*", "!tier=dev"}, {"region notin (eu)"}, {"region!=us,tier=prod"}}

func (r *round) setLabels(agent string, next labels) string {
	patch := map[string]any{"tier": nil, "region": nil, "maintenance": nil}
	for key, value := range next {
		patch[key] = value
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.patchSecret(agent, map[string]any{"metadata": map[string]any{"labels": patch}})
	r.model.labels[agent] = append(r.model.labels[agent], next)
	return fmt.Sprintf("%s has the labels %v", agent, map[string]string(next))
}
