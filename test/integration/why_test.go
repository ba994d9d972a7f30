package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"fanout/test/faultproxy"
	"fanout/test/fixture"
)

// ask runs a command that asks that controller, as the hub's administrator.
func (w *world) ask(controller *fixture.Fanout, t *testing.T, code int, says []string, args ...string) (out string) {
	t.Helper()
	out, _ = w.expectCLI(t, w.hub.Kubeconfig, code, says, append(args, "--controller", controller.APIAddress(t))...)
	return out
}

// expectWhy waits until fanout why says all of that of a parent of this test's and an agent.
func (w *world) expectWhy(t *testing.T, controller *fixture.Fanout, name, agent string, says ...string) {
	t.Helper()
	w.ask(controller, t, 0, says, "why", name, agent, "-n", w.canaries)
}

// What keeps a copy from being where it should, and how it fares where it is, is explained with what to do next.
func TestWhyOfTheHub(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.patchSecret(t, "us-east-prod", `{"metadata":{"labels":{"tier":"prod"},"annotations":{"fanout.flanksource.com/namespaces":"payments"}}}`)
	w.hub.Register(t, w.namespace, "refused", []byte("no kubeconfig"))
	controller := w.startFanout(t)
	w.hub.Apply(t, w.hourly("all", "*", "!eu-*"))
	w.hub.Apply(t, w.hourly("eu", "eu-*"))
	w.hub.Apply(t, w.hourly("by-label", "tier=prod"))
	w.hub.Apply(t, w.hourly("mistyped", "{eu"))
	w.hub.Apply(t, w.hourly("none"))
	w.expectDerived(t, "eu-west-prod", "eu")

	for _, row := range []struct {
		name, agent string
		says        []string
	}{
		{"nothing", "eu-west-prod", []string{"✗ parent: the hub has no Canary " + w.canaries + "/nothing", "next: see which parents there are: fanout get -n " + w.canaries}},
		{"none", "eu-west-prod", []string{"✗ parent: the hub has no Canary"}},
		{"mistyped", "eu-west-prod", []string{"✗ selector (InvalidAgentSelector):", "unclosed {", "next: mend the entry"}},
		{"eu", "eu-west-prd", []string{`✗ agent: no Secret registers an agent "eu-west-prd"; there are eu-west-prod`, "next: register it: fanout register eu-west-prd"}},
		{"all", "eu-west-prod", []string{`✗ selector: the entry "!eu-*" excludes it`, "next: take the entry out"}},
		{"eu", "us-east-prod", []string{"✗ selector: no entry takes it in; its labels are tier=prod", "next: add an entry"}},
		{"all", "local", []string{"✗ selector: no entry is local", "next: add local"}},
		{"by-label", "us-east-prod", []string{`✓ selector: the entry "tier=prod" takes it in`, "✗ tenancy (NamespaceNotAllowed):", "it takes payments", "annotate secret us-east-prod"}},
		{"all", "refused", []string{"✗ health (Refused):", "next: mend the Secret refused"}},
		{"eu", "eu-west-prod", []string{`✓ selector: the entry "eu-*" takes it in`, "✓ tenancy", "✓ health: it is connected", "✓ copy: it is as the parent asks, and was there when it was looked for just now", "? result (Pending):"}},
	} {
		w.expectWhy(t, controller, row.name, row.agent, row.says...)
	}

	t.Log("its own result")
	now := time.Now()
	for _, row := range []struct {
		status fixture.Status
		says   string
	}{
		{fixture.Passing(now), "✓ result: it passes, run"},
		{fixture.Failing(now, "expected 500"), "✗ result (Failed): the check fails there: run"},
		{fixture.Status{"status": "Invalid", "errorMessage": "no such check", "lastCheck": now.UTC().Format(time.RFC3339)}, "✗ result (Invalid): canary-checker can't run it as it is"},
	} {
		w.members["eu-west-prod"].Report(t, w.canaries, "eu", row.status)
		w.expectWhy(t, controller, "eu", "eu-west-prod", row.says)
	}
	controller.Stop(t) // what comes in while it runs is as new as that
	w.members["eu-west-prod"].Report(t, w.canaries, "eu", fixture.Passing(now.Add(-24*time.Hour)))
	controller = w.startFanout(t)
	w.expectWhy(t, controller, "eu", "eu-west-prod", "✗ result (Stale): it was not run when it should have been", "next: see that canary-checker runs in the member")
	w.hub.Patch(t, w.canaries, "eu", `{"metadata":{"annotations":{"suspend":"true"}}}`)
	w.expectWhy(t, controller, "eu", "eu-west-prod", "? result (Paused): it is not to be run", "next: set replicas to 1")
}

// Each way in which a member does not take a copy has its sentence.
func TestWhyOfAMember(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	member := w.members["eu-west-prod"]
	member.Apply(t, w.canary("in-conflict"))
	controller := w.startFanout(t, "--resync-period=1s")
	expect := func(name string, says ...string) {
		t.Helper()
		w.expectWhy(t, controller, name, "eu-west-prod", says...)
	}

	w.hub.Apply(t, w.canary("in-conflict", "*"))
	expect("in-conflict", "✗ copy (Conflict): something that is not this hub's stands in the copy's place", "next: delete or rename one of the two", "annotate canary -n "+w.canaries+" in-conflict")

	w.hub.Apply(t, w.canary("contested", "*"))
	w.expectDerived(t, "eu-west-prod", "contested")
	cease := w.undo(t, member, "contested")
	expect("contested", "✗ copy (Contested): another writer keeps undoing", "--show-managed-fields")
	cease()

	w.hub.Apply(t, w.canary("held", "*"))
	w.expectDerived(t, "eu-west-prod", "held")
	member.Patch(t, w.canaries, "held", `{"metadata":{"finalizers":["example.com/hold"]}}`)
	member.Delete(t, w.canaries, "held")
	expect("held", "✗ copy (Terminating): finalizers hold the copy", "example.com/hold", "next: see that canary-checker runs in the member")
	member.Patch(t, w.canaries, "held", `{"metadata":{"finalizers":null}}`)

	member.RemoveCRD(t)
	expect("contested", "(CanaryCRDMissing): the member does not serve Canaries", "next: install canary-checker's CRDs in the member")
}

// undo has another writer change a copy all the time, until cease is called or the test ends.
func (w *world) undo(t *testing.T, member *fixture.Cluster, name string) (cease func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ceased := make(chan struct{})
	go func() {
		defer close(ceased)
		for i := 1; ctx.Err() == nil; i++ {
			patch := fmt.Appendf(nil, `{"spec":{"schedule":"@every %dh"}}`, i%100+1)
			_, err := member.Canaries(w.canaries).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "somebody"})
			if err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
		}
	}()
	cease = func() {
		cancel()
		<-ceased
	}
	t.Cleanup(cease)
	return cease
}

// A CRD of the member that is another than the hub's has its sentences, too.
func TestWhyOfACRD(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	member := w.members["eu-west-prod"]
	install(t, member, func(t *testing.T, version map[string]any) {
		remove(t, version, "spec", "properties", "http", "items", "properties", "responseCodes")
	})
	controller := w.startFanout(t, "--resync-period=1s")
	w.hub.Apply(t, w.canary("unknown-field", "*"))
	w.expectWhy(t, controller, "unknown-field", "eu-west-prod", "✗ copy (UnknownField): the member's Canary CRD does not know a field", "responseCodes", "next: bring canary-checker's CRDs in the member up to date")
	install(t, member, func(t *testing.T, version map[string]any) {
		remove(t, version, "spec", "properties", "http", "items", "properties")
	})
	w.hub.Apply(t, w.canary("altered", "*"))
	w.expectWhy(t, controller, "altered", "eu-west-prod", "✗ copy (Altered): the member's CRD or an admission webhook did not keep a field", "spec.http")
}

// The namespace of the copies may be missing in a member, or on its way out.
func TestWhyOfANamespace(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.members["us-east-prod"].Namespace(t, w.canaries)
	controller := w.startFanout(t, "--create-namespaces=false")
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectWhy(t, controller, "api-health", "eu-west-prod", "✗ copy (NamespaceMissing): the copy's namespace is not in the member", "next: create it, in the member: kubectl create namespace "+w.canaries)
	w.expectDerived(t, "us-east-prod", "api-health")
	deleteNamespace(t, w.members["us-east-prod"], w.canaries)
	if err := w.members["us-east-prod"].Canaries(w.canaries).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	w.expectWhy(t, controller, "api-health", "us-east-prod", "✗ copy (NamespaceTerminating): the copy's namespace is being deleted")
	finalizeNamespace(t, w.members["us-east-prod"], w.canaries)
}

// However a member refuses a write or fails, or does not answer at all, why says which.
func TestWhyOfAMemberThatFails(t *testing.T) {
	w := newWorld(t)
	proxy := w.registerBehindProxy(t, "eu-west-prod")
	controller := w.startFanout(t, "--probe-period=300ms", "--probe-timeout=1s", "--request-timeout=2s")
	w.hub.Apply(t, w.hourly("api-health", "*"))
	w.expectHolders(t, "api-health", "eu-west-prod")
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Passing(time.Now()))
	w.expectShown(t, "api-health", "Passed", "1 agent: 1 passed; 1 in sync", nil)
	for i, row := range []struct {
		begin func() (heal func())
		says  []string
	}{
		{func() func() { return proxy.Answer(500, canaryWrite) }, []string{"✗ copy (Unavailable): the member's API server failed the request", "next: wait: it is tried again"}},
		{func() func() { return proxy.Answer(429, canaryWrite) }, []string{"✗ copy (Throttled): the member's API server says that it is asked too often"}},
		{func() func() { return proxy.Answer(403, canaryWrite) }, []string{"✗ copy (Forbidden): the member refuses what fanout asks for", "next: grant it"}},
		{func() func() { return proxy.Answer(422, canaryWrite) }, []string{"✗ copy (Rejected): the member's API server does not accept the copy", "next: change the parent as the message says"}},
		{func() func() { return proxy.Answer(401, canaryWrite) }, []string{"✗ copy (Unauthorized): the member does not take the credential"}},
		{func() func() { return proxy.Cut() }, []string{"✗ health (Unreachable): the member does not answer", "? result: it was Passed when something was last heard of it", "next: see what stands in the way: fanout check --members"}},
		{func() func() { return proxy.Answer(401, faultproxy.Match{}) }, []string{"✗ health (Unauthorized): the member does not take the credential", "next: give it a new credential: fanout register eu-west-prod"}},
		{func() func() { return proxy.Answer(403, faultproxy.Match{}) }, []string{"✗ health (Forbidden): the member refuses what fanout asks for", "next: grant it, which registering again does"}},
	} {
		heal := row.begin()
		w.edit(t, "api-health", fmt.Sprintf("@every %dh", i+2))
		w.expectWhy(t, controller, "api-health", "eu-west-prod", row.says...)
		heal()
		w.edit(t, "api-health", fmt.Sprintf("@every %dm", i+90))
		w.expectDerived(t, "eu-west-prod", "api-health")
	}
}

// What is said of a member's Secret is in the explanation, too: of its credential, its cluster, and of its going.
func TestWhyOfASecret(t *testing.T) {
	w := newWorld(t)
	one, other := w.members["eu-west-prod"], w.members["us-east-prod"]
	token := one.LeastRightsToken(t, "member.yaml", w.namespace, 10*time.Minute)
	w.hub.Register(t, w.namespace, "shop", fixture.Kubeconfig(t, token))
	controller := w.startFanout(t, "--probe-period=500ms")
	w.hub.Apply(t, w.hourly("api-health", "*"))
	w.expectHolders(t, "api-health", "eu-west-prod")
	w.expectWhy(t, controller, "api-health", "shop", "? credential (CredentialExpiring): its credential ends soon: in", "next:")

	t.Log("another credential, another cluster")
	w.hub.Register(t, w.namespace, "shop", one.LeastRights(t, "member.yaml", w.namespace))
	w.expectWhy(t, controller, "api-health", "shop", "Renewed:", "in use", "✓ copy")
	w.hub.Register(t, w.namespace, "shop", other.LeastRights(t, "member.yaml", w.namespace))
	w.expectWhy(t, controller, "api-health", "shop", "Replaced:", "kubectl delete canaries -A -l", "✓ copy")

	t.Log("it leaves, held up by a finalizer, and is left behind")
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	other.Patch(t, w.canaries, "api-health", `{"metadata":{"finalizers":["example.com/hold"]}}`)
	w.hub.Deregister(t, w.namespace, "shop")
	w.expectWhy(t, controller, "api-health", "shop", "✗ health (Leaving): it is being deregistered")
	w.ask(controller, t, 0, []string{"shop Leaving"}, "agents")
	controller.Stop(t)
	controller = w.startFanout(t, "--deregister-timeout=1s")
	w.expectSecretGone(t, "shop")
	w.expectWhy(t, controller, "api-health", "shop", `✗ agent: no Secret registers an agent "shop"`, "CleanupTimedOut:", "next: register it")
	other.Patch(t, w.canaries, "api-health", `{"metadata":{"finalizers":null}}`)

	t.Log("one that is clean, and one whose credential ends")
	w.register(t, "eu-west-prod")
	w.expectWhy(t, controller, "api-health", "eu-west-prod", "✓ copy")
	w.hub.Deregister(t, w.namespace, "eu-west-prod")
	w.expectSecretGone(t, "eu-west-prod")
	w.expectWhy(t, controller, "api-health", "eu-west-prod", `✗ agent: no Secret registers`, "Deregistered:")
	w.hub.Register(t, w.namespace, "ap-south-dev", trustingMember(t, w.members["ap-south-dev"], time.Now().Add(5*time.Second)))
	w.expectWhy(t, controller, "api-health", "ap-south-dev", "✗ credential (CredentialExpired): its credential has ended", "next: give it a new credential")
}

// Of a member that Cluster API registers, the labels of its Cluster may not count, or not be known yet.
func TestWhyOfClusterAPI(t *testing.T) {
	w := newWorld(t)
	w.registerClusters(t, "eu-west-prod")
	controller := w.startFanout(t, everyFormat)
	w.hub.Apply(t, w.hourly("all", "*"))
	w.hub.Apply(t, w.hourly("by-label", "tier=prod"))
	w.expectWhy(t, controller, "all", "eu-west-prod", "✓ agent: it is registered by the Secret eu-west-prod-kubeconfig", "✓ copy", "ClusterLabelsUnread: the labels of Cluster API's Clusters do not count")
	controller.Stop(t)

	w.installClusters(t)
	w.hub.LeastRights(t, "hub-capi.yaml", w.namespace)
	w.cluster(t, "eu-west-prod", `"tier":"prod"`)
	proxy := faultproxy.Start(t, w.hub.Config)
	proxy.Answer(500, faultproxy.Match{Resource: "clusters"})
	controller = w.startFanoutAt(t, proxy, everyFormat, "--probe-period=300ms")
	w.expectWhy(t, controller, "all", "eu-west-prod", "? health (Connecting)", "ClusterLabelsUnknown: waiting for the labels of the Cluster")
	w.expectWhy(t, controller, "by-label", "eu-west-prod", "? selector: no entry takes its name in, and its labels are not known yet")
}

// The words of get, agents and match are those of a real controller, and preview says what then happens.
func TestTheCommandLineOfAController(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"labels":{"region":"eu"}}}`)
	controller := w.startFanout(t)
	w.hub.Apply(t, w.hourly("api-health", "region=eu"))
	w.expectDerived(t, "eu-west-prod", "api-health")
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Failing(time.Now(), "expected 500 to be in [200]"))

	w.ask(controller, t, 0, []string{"api-health Failed 1 1 1 11/12 (91.7%) 7ms"}, "get", "-n", w.canaries)
	w.ask(controller, t, 0, []string{"eu-west-prod Failed yes 11/12 (91.7%) 7ms", "expected 500 to be in [200]"}, "get", "api-health", "-n", w.canaries, "--failing")
	w.ask(controller, t, 0, []string{"eu-west-prod Connected", "1 1 1", "us-east-prod Connected", "0 0 0"}, "agents")
	w.ask(controller, t, 0, []string{"eu-west-prod yes region=eu"}, "match", "region=eu")

	t.Log("nothing would change, and nothing does")
	w.ask(controller, t, 0, []string{"api-health: 1 unchanged"}, "preview", "api-health", "-n", w.canaries)

	t.Log("a change")
	taken := w.canary("taken")
	w.members["us-east-prod"].Apply(t, taken)
	file := fixture.KubeconfigFile(t, []byte(fmt.Sprintf(`
apiVersion: canaries.flanksource.com/v1
kind: Canary
metadata: {name: api-health, namespace: %[1]s}
spec: {schedule: "@every 2h", agentSelector: ["*", local]}
---
apiVersion: canaries.flanksource.com/v1
kind: Canary
metadata: {name: taken, namespace: %[1]s}
spec: {schedule: "@every 2h", agentSelector: ["us-*"]}
`, w.canaries)))
	out := w.ask(controller, t, 1, []string{"2 to create, 1 to change", "create us-east-prod *", "create local local", "change eu-west-prod *", "- schedule: '@every 1h'", "+ schedule: '@every 2h'", "/taken: 1 in conflict", "conflict us-east-prod us-* Conflict: it was not created by fanout"}, "preview", "-f", file)
	if !strings.Contains(out, "-  http:") || strings.Contains(out, "-  replicas") {
		t.Errorf("what the file does not have goes, but for what the CRD puts there:\n%s", out)
	}
	if w.hub.Get(t, w.canaries, "taken") != nil || w.hub.Get(t, w.canaries, "api-health-local") != nil {
		t.Error("the preview has written something")
	}

	t.Log("the parent narrowed away")
	w.hub.Apply(t, w.hourly("other", "us-*"))
	w.expectDerived(t, "us-east-prod", "other")
	narrowed := fixture.KubeconfigFile(t, []byte(fmt.Sprintf(`{apiVersion: canaries.flanksource.com/v1, kind: Canary, metadata: {name: other, namespace: %s}, spec: {schedule: "@every 1h", agentSelector: ["mars-*"]}}`, w.canaries)))
	w.ask(controller, t, 1, []string{"1 to prune", "prune us-east-prod"}, "preview", "-f", narrowed)

	t.Log("what the hub does not accept")
	invalid := fixture.KubeconfigFile(t, []byte(fmt.Sprintf(`{apiVersion: canaries.flanksource.com/v1, kind: Canary, metadata: {name: bad, namespace: %s}, spec: {schedule: 7, agentSelector: ["*"]}}`, w.canaries)))
	w.ask(controller, t, 2, nil, "preview", "-f", invalid)
}
