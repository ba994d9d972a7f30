package show

import (
	"testing"

	"fanout/pkg/api"
	"fanout/pkg/selector"
)

// An agent that is being deregistered gets no copy, whatever the entries say.
func TestNoEntryMatchesAnAgentThatLeaves(t *testing.T) {
	entries, err := selector.NewExplainer([]string{"*"})
	if err != nil {
		t.Fatal(err)
	}
	agents := api.Agents{Items: []api.Agent{{Name: "eu-west-prod", State: "Connected"}, {Name: "shop", State: "Leaving"}}}
	for _, all := range []bool{false, true} {
		if v := MatchesOf(agents, []string{"*"}, entries, all); len(v.Rows) != 1 || v.Rows[0].Name != "agent/eu-west-prod" {
			t.Errorf("all %t: %+v", all, v.Rows)
		}
	}
}
