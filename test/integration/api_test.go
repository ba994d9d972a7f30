package integration

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fanout/pkg/api"
	"fanout/test/fixture"
)

// teller asks a controller.
type teller struct {
	*api.Client
	w *world
}

// expectCopy waits until the agent's copy of a parent is told to be so.
func (a teller) expectCopy(t *testing.T, name, agent, what string, is func(api.Copy) bool) api.Copy {
	t.Helper()
	var copied api.Copy
	fixture.Eventually(t, fmt.Sprintf("%s's copy of %s %s", agent, name, what), func() error {
		one, err := a.Canary(t.Context(), a.w.canaries, name)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(one.Canary.Copies, func(c api.Copy) bool { return c.Agent == agent })
		if at < 0 {
			return fmt.Errorf("there is none: %+v", one.Canary)
		}
		if copied = one.Canary.Copies[at]; !is(copied) {
			return fmt.Errorf("it is %+v (out of sync: %v, away: %v)", copied, copied.OutOfSync, copied.Away)
		}
		return nil
	})
	return copied
}

// expectAgent waits until an agent is told to be so.
func (a teller) expectAgent(t *testing.T, name, what string, is func(api.Agent) bool) api.Agent {
	t.Helper()
	var agent api.Agent
	fixture.Eventually(t, name+" "+what, func() error {
		all, err := a.Agents(t.Context())
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all.Items, func(agent api.Agent) bool { return agent.Name == name })
		if at < 0 {
			return fmt.Errorf("there is no such agent")
		}
		if agent = all.Items[at]; !is(agent) {
			return fmt.Errorf("it is %+v", agent)
		}
		return nil
	})
	return agent
}

func outOfSync(reason string) func(api.Copy) bool {
	return func(c api.Copy) bool {
		return !c.InSync && c.OutOfSync != nil && c.OutOfSync.Reason == reason && c.OutOfSync.Detail != "" && c.OutOfSync.Since != nil
	}
}

// What a controller tells over HTTP is what there is, in the hub and in the members.
func TestAPI(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "ap-south-dev")
	proxy := w.registerBehindProxy(t, "us-east-prod")
	w.patchSecret(t, "us-east-prod", `{"metadata":{"labels":{"tier":"prod"},"annotations":{"fanout.flanksource.com/namespaces":"*, !*-team"}}}`)
	w.hub.Register(t, w.namespace, "refused", []byte("no kubeconfig"))
	w.members["ap-south-dev"].Apply(t, w.canary("api-health"))
	versions := make(chan string, 100)
	proxy.Observe(func(r *http.Request, _ string) {
		if r.URL.Path == "/version" {
			versions <- r.URL.Path
		}
	})
	controller := w.startFanout(t, "--probe-period=300ms", "--probe-timeout=1s", "--probe-failure-threshold=1")
	a := teller{controller.API(t), w}

	w.hub.Apply(t, w.hourly("api-health", "eu-*", "tier=prod", "*-dev", "refused", "!mars"))
	copied := a.expectCopy(t, "api-health", "eu-west-prod", "is in sync", func(c api.Copy) bool { return c.InSync })
	if copied.State != "Pending" || copied.SelectedBy != "eu-*" || copied.Name != "api-health" || copied.Namespace != w.canaries {
		t.Errorf("%+v", copied)
	}
	if copied = a.expectCopy(t, "api-health", "us-east-prod", "is in sync", func(c api.Copy) bool { return c.InSync }); copied.SelectedBy != "tier=prod" {
		t.Errorf("%+v", copied)
	}
	a.expectCopy(t, "api-health", "ap-south-dev", "is in conflict", outOfSync("Conflict"))
	copied = a.expectCopy(t, "api-health", "refused", "is away", func(c api.Copy) bool { return c.Away != nil && c.Away.Reason == "Refused" })
	if copied.State != "Unreachable" || copied.Away.Detail == "" {
		t.Errorf("%+v", copied)
	}

	t.Log("agents")
	agent := a.expectAgent(t, "us-east-prod", "is known well", func(agent api.Agent) bool { return agent.ServerVersion != "" && agent.InSync == 1 })
	if agent.State != "Connected" || agent.Secret != "us-east-prod" || agent.Labels["tier"] != "prod" || agent.CredentialExpires == nil || !slices.Equal(agent.Namespaces, []string{"*", "!*-team"}) {
		t.Errorf("%+v", agent)
	}
	server, err := w.members["us-east-prod"].Kube.Discovery().ServerVersion()
	if err != nil || agent.ServerVersion != server.GitVersion {
		t.Errorf("its version is %q: %v", server, err)
	}
	agent = a.expectAgent(t, "refused", "is refused", func(agent api.Agent) bool { return agent.State == "Refused" && agent.Selected == 1 })
	if agent.Detail == "" || agent.InSync != 0 || agent.Since.IsZero() {
		t.Errorf("%+v", agent)
	}
	a.expectAgent(t, "ap-south-dev", "is out of sync", func(agent api.Agent) bool { return agent.OutOfSync == 1 })
	a.expectAgent(t, "local", "is the hub", func(agent api.Agent) bool { return agent.State == "Connected" && agent.Secret == "" })

	t.Log("results, in lists as in the status")
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Failing(time.Now(), "expected 500 to be in [200]"))
	copied = a.expectCopy(t, "api-health", "eu-west-prod", "fails", func(c api.Copy) bool { return c.State == "Failed" })
	if copied.Error != "expected 500 to be in [200]" || *copied.Passed != 11 || *copied.Runs != 12 || *copied.LatencyMillis != 7 || copied.Heard == nil {
		t.Errorf("%+v", copied)
	}
	a.expectAgent(t, "eu-west-prod", "has one that fails", func(agent api.Agent) bool { return agent.Failing == 1 })
	fixture.Eventually(t, "the list says what the status does", func() error {
		all, err := a.Canaries(t.Context(), w.canaries)
		if err != nil || len(all.Items) != 1 {
			return fmt.Errorf("%v: %+v", err, all)
		}
		shown := fixture.ReadShown(w.hub.Get(t, w.canaries, "api-health"))
		told := all.Items[0]
		return fixture.Same("what is told", []any{told.State, told.Message, told.Uptime, told.Latency, told.Agents},
			[]any{"Failed", shown.Message, shown.Uptime, shown.Latency, 4})
	})

	t.Log("an invalid selector, and a namespace that is not allowed")
	w.hub.Apply(t, w.hourly("faulty", "{eu"))
	fixture.Eventually(t, "the fault is told", func() error {
		one, err := a.Canary(t.Context(), w.canaries, "faulty")
		if err != nil || one.Canary.State != "Invalid" || !strings.Contains(one.Canary.Fault, "unclosed {") || !slices.Equal(one.Canary.Selector, []string{"{eu"}) {
			return fmt.Errorf("%v: %+v", err, one)
		}
		return nil
	})
	team := fixture.Canary(w.canaries+"-team", "api-health", "us-*")
	w.hub.Apply(t, team)
	fixture.Eventually(t, "that the member's owner does not allow it is told", func() error {
		one, err := a.Canary(t.Context(), team.GetNamespace(), "api-health")
		if err != nil || len(one.Canary.Copies) != 1 || !outOfSync("NamespaceNotAllowed")(one.Canary.Copies[0]) {
			return fmt.Errorf("%v: %+v", err, one)
		}
		return nil
	})

	t.Log("what stands in a place")
	found, err := a.Find(t.Context(), "eu-west-prod", w.canaries, "api-health")
	if err != nil || !found.Found.Exists || found.Found.Owner != found.Teller.Hub || found.Found.Canary["spec"] == nil || found.Found.Canary["status"] != nil {
		t.Errorf("%v: %+v", err, found)
	}
	if found, err = a.Find(t.Context(), "ap-south-dev", w.canaries, "api-health"); err != nil || !found.Found.Exists || found.Found.Owner != "" || found.Found.Canary != nil {
		t.Errorf("a stranger's: %v: %+v", err, found)
	}
	if found, err = a.Find(t.Context(), "eu-west-prod", w.canaries, "other"); err != nil || found.Found.Exists {
		t.Errorf("nothing: %v: %+v", err, found)
	}
	if _, err = a.Find(t.Context(), "mars", w.canaries, "api-health"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if _, err = a.Find(t.Context(), "refused", w.canaries, "api-health"); !errors.Is(err, api.ErrNotKnown) || !strings.Contains(err.Error(), "Refused") {
		t.Errorf("%v", err)
	}
	if _, err = a.Canary(t.Context(), w.canaries, "other"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("%v", err)
	}

	t.Log("away, and back")
	heal := proxy.Cut()
	copied = a.expectCopy(t, "api-health", "us-east-prod", "is away", func(c api.Copy) bool { return c.Away != nil && c.Away.Reason == "Unreachable" })
	if copied.State != "Unreachable" || copied.InSync {
		t.Errorf("%+v", copied)
	}
	agent = a.expectAgent(t, "us-east-prod", "is away", func(agent api.Agent) bool { return agent.State == "Unreachable" })
	if agent.Detail == "" || agent.ServerVersion == "" || len(agent.Events) == 0 || agent.Events[0].Reason != "Unreachable" || !agent.Events[0].Warning {
		t.Errorf("%+v", agent)
	}
	if _, err = a.Find(t.Context(), "us-east-prod", w.canaries, "api-health"); !errors.Is(err, api.ErrNotKnown) {
		t.Errorf("%v", err)
	}
	heal()
	a.expectCopy(t, "api-health", "us-east-prod", "is in sync again", func(c api.Copy) bool { return c.InSync })
	a.expectAgent(t, "us-east-prod", "is back", func(agent api.Agent) bool { return agent.State == "Connected" })
	fixture.Eventually(t, "the member, which joined twice, was asked for its version as often", func() error {
		return fixture.Same("how often", len(versions), 2)
	})

	t.Log("standing by")
	second := teller{w.startFanout(t).API(t), w}
	fixture.Eventually(t, "who stands by names the leader", func() error {
		_, err := second.Agents(t.Context())
		if !errors.Is(err, api.ErrNotKnown) || !strings.Contains(err.Error(), "the Lease "+w.namespace+"/fanout, which is ") {
			return fmt.Errorf("%w", err)
		}
		return nil
	})
	controller.Stop(t)
	second.expectCopy(t, "api-health", "eu-west-prod", "is told by who leads now", func(c api.Copy) bool { return c.State == "Failed" && c.InSync })
}

// No credential is told, whatever a member answers with.
func TestAPITellsNoCredential(t *testing.T) {
	w := newWorld(t)
	member := w.members["eu-west-prod"]
	identity := member.LeastRightsToken(t, "member.yaml", w.namespace, time.Hour)
	w.hub.Register(t, w.namespace, "eu-west-prod", fixture.Kubeconfig(t, identity))
	a := teller{w.startFanout(t).API(t), w}
	w.hub.Apply(t, w.hourly("api-health", "*"))
	w.expectDerived(t, "eu-west-prod", "api-health")
	member.Patch(t, w.canaries, "api-health", `{"metadata":{"annotations":{"stolen":"it is `+identity.BearerToken+`"}}}`)
	member.Report(t, w.canaries, "api-health", fixture.Failing(time.Now(), "it is "+identity.BearerToken))
	copied := a.expectCopy(t, "api-health", "eu-west-prod", "fails", func(c api.Copy) bool { return c.State == "Failed" })
	fixture.Eventually(t, "it is found without the token", func() error {
		found, err := a.Find(t.Context(), "eu-west-prod", w.canaries, "api-health")
		text := fmt.Sprint(found.Found.Canary)
		if err != nil || !strings.Contains(text, "it is [redacted]") {
			return fmt.Errorf("%v: %s", err, text)
		}
		if part := identity.BearerToken[10:60]; strings.Contains(text, part) || strings.Contains(copied.Error, part) {
			t.Errorf("the token is told: %s, %+v", text, copied)
		}
		return nil
	})
	found, err := a.Find(t.Context(), "eu-west-prod", w.canaries, "api-health")
	if err != nil || strings.Contains(fmt.Sprint(found), "managedFields") {
		t.Errorf("%v: %+v", err, found)
	}
}
