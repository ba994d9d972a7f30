package why

import (
	"slices"
	"testing"
	"time"

	"fanout/pkg/api"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// asked is a parent that selects one agent, which is as it should be.
func asked(change func(*Asked)) Asked {
	checked := noon.Add(-time.Minute)
	a := Asked{
		Namespace: "payments", Name: "api-health", Agent: "eu-west-prod", SecretsIn: "fanout-system", Teller: api.Teller{Hub: "this hub", Time: noon},
		Canary: &api.Canary{Selector: []string{"eu-*"}, Copies: []api.Copy{{Agent: "eu-west-prod", Namespace: "payments", Name: "api-health", State: "Passed", InSync: true, LastCheck: &checked}}},
		Agents: []api.Agent{{Name: "eu-west-prod", Secret: "eu-west-prod", State: "Connected", Since: noon.Add(-time.Hour)}},
		Found:  &api.Found{Exists: true, Owner: "this hub"},
	}
	change(&a)
	return a
}

// What real controllers and members bring about only now and then, or what statuses tell where no controller does. All else is in
// test/integration.
func TestStepsThatAreRare(t *testing.T) {
	waiting := &api.Condition{Reason: "Waiting"}
	held := &api.Condition{Reason: "Terminating", Detail: "example.com/hold"}
	for _, row := range []struct {
		what   string
		change func(*Asked)
		step   Step
		next   string
	}{
		{"an exclusion only", func(a *Asked) { a.Canary.Selector = []string{"!us-*"} },
			Step{"selector", OK, "", "none of the exclusions is about it, and there is nothing else in the list"}, ""},
		{"labels that statuses do not tell", func(a *Asked) { a.Canary.Selector = []string{"tier=prod"} },
			Step{"selector", OK, "", "it is selected, though its labels are not known here"}, ""},
		{"an agent without labels", func(a *Asked) { a.Canary.Selector, a.Canary.Copies = []string{"tier=prod"}, nil },
			Step{"selector", Not, "", "no entry takes it in; it has no labels"}, "add an entry to the parent's agentSelector, and try it out before: fanout match ENTRY"},
		{"an agent that a status alone names", func(a *Asked) { a.Agents[0].Secret = "" },
			Step{"agent", OK, "", "it is known"}, ""},
		{"of many agents' names those that are alike", func(a *Asked) {
			a.Agents = nil
			for _, name := range []string{"a", "b", "c", "d", "eu-north-prod", "eu-west-dev"} {
				a.Agents = append(a.Agents, api.Agent{Name: name})
			}
		}, Step{"agent", Not, "", `no Secret registers an agent "eu-west-prod"; there are eu-west-dev, eu-north-prod, a, b, c, …`},
			"register it: fanout register eu-west-prod --member-context CONTEXT; or see which there are: fanout agents"},
		{"a copy of an agent that leaves", func(a *Asked) { a.Agents[0].State, a.Canary.Copies = "Leaving", nil },
			Step{"copy", Unknown, "", "it is being removed, if it is there still"}, "register it again if that is not meant: fanout register eu-west-prod --member-context CONTEXT"},
		{"a copy that no status has room for", func(a *Asked) { a.Canary.Copies = nil },
			Step{"copy", Unknown, "", "nothing is known of it"}, "ask where the controller can be: fanout check"},
		{"a copy that is about to be written", func(a *Asked) { a.Canary.Copies[0].InSync, a.Canary.Copies[0].OutOfSync = false, waiting },
			Step{"copy", Unknown, "Waiting", "the copy is about to be written, or removed"}, "wait a moment, and ask again"},
		{"a member that has not been heard yet", func(a *Asked) { a.Canary.Copies[0].InSync = false },
			Step{"copy", Unknown, "", "it is not known what the member holds"}, ""},
		{"a copy that nobody could look for", func(a *Asked) { a.Found = nil },
			Step{"copy", OK, "", "it is as the parent asks"}, ""},
		{"a copy that was deleted just now", func(a *Asked) { a.Found = &api.Found{} },
			Step{"copy", Unknown, "", "it was as the parent asks, but was not there when it was looked for just now"}, "ask again: fanout puts it back"},
		{"a copy that is on its way out", func(a *Asked) { a.Found.Terminating, a.Found.Finalizers = true, []string{"x", "y"} },
			Step{"copy", Unknown, "Terminating", "finalizers hold the copy that was deleted: x, y"},
			"see that canary-checker runs in the member, which takes its own off: kubectl get canary -n payments api-health -o jsonpath={.metadata.finalizers}"},
		{"a copy that is not asked for any more", func(a *Asked) { a.Canary.Selector, a.Canary.Copies, a.Found.OutOfSync = []string{"us-*"}, nil, held },
			Step{"copy", Not, "Terminating", "finalizers hold the copy that was deleted: example.com/hold"},
			"see that canary-checker runs in the member, which takes its own off: kubectl get canary -n payments api-health -o jsonpath={.metadata.finalizers}"},
		{"a copy without a parent that goes in a moment", func(a *Asked) { a.Canary, a.Found.OutOfSync = nil, waiting },
			Step{"copy", Unknown, "Waiting", "the copy is about to be written, or removed"}, "wait a moment, and ask again"},
		{"a member that was never heard", func(a *Asked) {
			a.Agents[0].State, a.Canary.Copies[0] = "Connecting", api.Copy{Agent: "eu-west-prod", State: "Unreachable", Away: &api.Condition{Reason: "Connecting"}}
		}, Step{"result", Unknown, "", "nothing is known of it"}, "wait a moment; if that stays so: fanout check --members"},
	} {
		t.Run(row.what, func(t *testing.T) {
			chain := Explain(asked(row.change))
			if !slices.Contains(chain.Steps, row.step) {
				t.Errorf("no step is\n%+v, but they are\n%+v", row.step, chain.Steps)
			}
			if chain.Next != row.next {
				t.Errorf("next is %q, not %q", chain.Next, row.next)
			}
		})
	}
}

// What stands in the place and is another's is none of this hub's copies.
func TestAStrangerIsNoLeftover(t *testing.T) {
	chain := Explain(asked(func(a *Asked) {
		a.Canary, a.Absent, a.Found = nil, "there is none", &api.Found{Exists: true, Owner: "another hub", OutOfSync: &api.Condition{Reason: "Conflict"}}
	}))
	if len(chain.Steps) != 1 || chain.Next != "see which parents there are: fanout get -n payments" {
		t.Errorf("%+v", chain)
	}
}
