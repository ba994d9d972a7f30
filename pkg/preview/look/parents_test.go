package look

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/api"
	"fanout/pkg/clusters"
	"fanout/pkg/preview"
)

// hub is a Source that knows one parent, and asks members of which every tenth does not answer.
type hub struct {
	api.Source
	canary           api.Canary
	atOnce, mostOnce atomic.Int32
}

func (h *hub) Canary(context.Context, string, string) (api.OneCanary, error) {
	return api.OneCanary{Canary: h.canary}, nil
}

func (h *hub) Canaries(context.Context, string) (api.Canaries, error) {
	return api.Canaries{Items: []api.Canary{h.canary}}, nil
}

func (h *hub) Find(_ context.Context, agent, _, _ string) (api.OneFound, error) {
	n := h.atOnce.Add(1)
	defer h.atOnce.Add(-1)
	for most := h.mostOnce.Load(); n > most && !h.mostOnce.CompareAndSwap(most, n); most = h.mostOnce.Load() {
	}
	if agent[len(agent)-1] == '7' {
		return api.OneFound{}, errors.New("the member hangs")
	}
	return api.OneFound{}, nil
}

func agents(n int) api.Agents {
	answer := api.Agents{Teller: api.Teller{Hub: "this hub"}}
	for i := range n {
		answer.Items = append(answer.Items, api.Agent{Name: fmt.Sprintf("agent-%03d", i), State: "Connected"})
	}
	return answer
}

// selecting is a Canary with that entry in its agentSelector.
func selecting(t *testing.T, entry string) *unstructured.Unstructured {
	t.Helper()
	return canary(t, fmt.Sprintf("metadata: {namespace: payments, name: api}\nspec: {schedule: \"@every 1h\", agentSelector: [%q]}", entry))
}

// Many members are looked at at the same time, but not all, and the copies come in the order of their agents.
func TestManyLooksAreBoundedAndInOrder(t *testing.T) {
	const many = 300
	source := &hub{}
	var looks atomic.Int32
	l := &Looker{Source: source, Agents: agents(many), Progress: func(int, int) { looks.Add(1) }}
	parent, err := l.Parent(t.Context(), selecting(t, "*"), nil)
	if err != nil || len(parent.Copies) != many || int(looks.Load()) != many {
		t.Fatalf("%d copies, %d looks: %v", len(parent.Copies), looks.Load(), err)
	}
	if !slices.IsSortedFunc(parent.Copies, func(a, b preview.Copy) int { return strings.Compare(a.Agent, b.Agent) }) {
		t.Error("the copies are in no order")
	}
	if parent.Count(preview.Unknown) != many/10 || parent.Count(preview.Create) != many-many/10 {
		t.Errorf("%d unknown, %d to create", parent.Count(preview.Unknown), parent.Count(preview.Create))
	}
	if most := source.mostOnce.Load(); most > atOnce {
		t.Errorf("%d looks at the same time", most)
	}
}

// An agent is pruned that the parent as it is selects, or is told to have a copy, and the parent as it would be does not.
func TestWhatIsPruned(t *testing.T) {
	source := &hub{canary: api.Canary{Copies: []api.Copy{{Agent: "agent-001"}}}}
	l := &Looker{Source: source, Agents: agents(4)}
	parent, err := l.Parent(t.Context(), selecting(t, "agent-003"),
		selecting(t, "agent-000"))
	var concerned []string
	for _, c := range parent.Copies {
		concerned = append(concerned, c.Agent)
	}
	if err != nil || !slices.Equal(concerned, []string{"agent-000", "agent-001", "agent-003"}) {
		t.Errorf("%v: %v", err, concerned)
	}
	if parent, err = l.Parent(t.Context(), selecting(t, "{eu"), nil); err != nil || parent.Fault == "" || len(parent.Copies) != 0 {
		t.Errorf("of a selector that does not parse: %v: %+v", err, parent)
	}
}

// A Secret for an agent that is just being deregistered registers a new one.
func TestAnAgentThatLeavesIsNotRegistered(t *testing.T) {
	source := &hub{canary: api.Canary{Namespace: "payments", Name: "api", Selector: []string{"*"}}}
	for state, want := range map[string]preview.Action{"Leaving": preview.Create, "Refused": preview.Refuse} {
		l := &Looker{Source: source, Agents: api.Agents{Items: []api.Agent{{Name: "shop", State: state}}}}
		parents, err := l.Agent(t.Context(), clusters.Registration{Agent: "shop"}, Hub{})
		if err != nil || len(parents) != 1 || len(parents[0].Copies) != 1 || parents[0].Copies[0].Action != want {
			t.Errorf("%s: %v: %+v", state, err, parents)
		}
	}
}
