package chaos

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/fanout/derive"
	"fanout/test/fixture"
)

// agents returns those that a parent selects, each with the cluster whose member it is; where another Secret leads to the same cluster and
// counts, that is empty.
func (m *model) agents(p *parent) map[string]string {
	selected := map[string]string{}
	if selects(p.selector, local, nil) {
		selected[local] = hubCluster
	}
	for agent, registered := range m.secrets {
		if !selects(p.selector, agent, m.labelsOf(agent)) {
			continue
		}
		if selected[agent] = registered.target; m.owner(registered.target) != agent {
			selected[agent] = ""
		}
	}
	return selected
}

// compareResults returns a failure unless each parent's status says of each agent that it selects what the copy there says itself, and
// speaks of no other.
func (r *round) compareResults() *failure {
	live := map[string]map[place]*unstructured.Unstructured{}
	for name, c := range r.w.clusters {
		var err error
		if live[name], err = r.canaries(c); err != nil {
			return &failure{invariant: "harness", cluster: name, text: err.Error()}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for at, p := range r.model.parents {
		status := live[hubCluster][at]
		if status == nil {
			return &failure{"harness", hubCluster, at, "the parent is gone"}
		}
		if len(p.selector) == 0 {
			if slices.Contains(fixture.Managers(status), "fanout Apply") {
				return &failure{"results", hubCluster, at, "it is no parent, and has a status of fanout's"}
			}
			continue
		}
		shown, selected := fixture.ReadShown(status), r.model.agents(p)
		for agent := range shown.Agents {
			if _, ok := selected[agent]; !ok {
				return &failure{"results", hubCluster, at, "its status speaks of " + agent + ", which it does not select"}
			}
		}
		for agent, cluster := range selected {
			says, want := shown.Agents[agent], r.says(agent, cluster, live[cluster][at.copyOf(agent)])
			if cluster == "" { // it may have had that for a while, and what it was like then does not matter
				says = wasLike.ReplaceAllString(says, "")
			}
			if !slices.ContainsFunc(want, func(begin string) bool { return strings.HasPrefix(says, begin) }) {
				return &failure{"results", hubCluster, at, fmt.Sprintf("its status says of %s %q, and not any of %q", agent, says, want)}
			}
		}
	}
	return nil
}

// wasLike is what an entry says of how a copy was when something was last known of it.
var wasLike = regexp.MustCompile(`, (out of sync \(\w+\)|\w+ before)`)

// says is how the entry of an agent may begin whose copy that is.
func (r *round) says(agent, cluster string, copied *unstructured.Unstructured) []string {
	switch {
	case cluster == "" && r.model.secrets[agent].bad: // it is not even known that it leads to another one's
		return []string{"Unreachable: Refused", "Unreachable: Unauthorized"}
	case cluster == "":
		return []string{"Unreachable: Refused"}
	case copied == nil || copied.GetLabels()[derive.LabelHub] != r.w.hubID:
		return []string{"Missing, out of sync (Conflict)"}
	}
	outcome, _, _ := unstructured.NestedString(copied.Object, "status", "status")
	if outcome == "" {
		return []string{"Pending"}
	}
	return []string{outcome, "Stale, " + outcome + " before"}
}
