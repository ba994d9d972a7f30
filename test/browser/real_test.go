package browser

import (
	"fmt"
	"testing"
	"time"

	"fanout/test/controlplane"
	"fanout/test/fixture"
)

// The page of a real controller between real API servers: what a member says reaches it, and a replica that stands by says who leads.
func TestRealController(t *testing.T) {
	set := controlplane.ForTest(t, "hub", "member")
	hub, member := fixture.In(t, set, "hub"), fixture.In(t, set, "member")
	for _, cluster := range []*fixture.Cluster{hub, member} {
		if err := cluster.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
			t.Fatal(err)
		}
		cluster.Namespace(t, "shop")
	}
	hub.Namespace(t, "fanout-system")
	hub.Register(t, "fanout-system", "eu-west-prod", member.LeastRights(t, "member.yaml", "fanout-system"))
	kubeconfig := hub.LeastRights(t, "hub.yaml", "fanout-system")
	first := fixture.StartFanout(t, kubeconfig, "--cluster-namespace", "fanout-system")
	tab := Open(t, first.APIAddress(t), Desktop)
	fixture.Eventually(t, "the first one leads", func() error {
		_, err := first.API(t).Agents(t.Context())
		return err
	})
	tab.Go("/")
	tab.Is("it is live", isLive)
	hub.Apply(t, fixture.Canary("shop", "api-health", "*-prod"))
	cell := cellAt("shop/api-health", "eu-west-prod")
	tab.Is("a new Canary appears", cell)
	fixture.Eventually(t, "the member has the copy", func() error {
		if member.Get(t, "shop", "api-health") == nil {
			return fmt.Errorf("it has none")
		}
		return nil
	})
	member.Report(t, "shop", "api-health", fixture.Passing(time.Now()))
	tab.Is("it passes", cell+`?.className === "s-passed"`)
	member.Report(t, "shop", "api-health", fixture.Failing(time.Now(), "expected <500> to be in [200]"))
	tab.Is("it fails", cell+`?.className === "s-failed"`)
	tab.Go("/canaries/shop/api-health")
	tab.Is("its page says why", `document.querySelector(".errors").innerText.includes("expected <500> to be in [200]")`)
	tab.Is("and why it is there", `document.querySelector(".entries").innerText.includes("*-prod") && document.querySelector(".entries").innerText.includes("takes in 1 agent")`)
	tab.Go("/agents/eu-west-prod")
	tab.Is("the agent's page", `document.querySelector("main").innerText.includes("Connected") && document.querySelector(".list").innerText.includes("api-health")`)

	second := fixture.StartFanout(t, kubeconfig, "--cluster-namespace", "fanout-system")
	other := Open(t, second.APIAddress(t), Desktop)
	other.Expect("503")
	other.Go("/")
	other.Is("one that stands by says who leads", `document.querySelector("main").innerText.includes("fanout-system/fanout")`)
	tab.Expect("net::ERR") // its controller is gone
	first.Stop(t)
	other.Is("and shows all once it leads itself", cell)
}
