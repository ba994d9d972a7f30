package integration

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"fanout/pkg/clusters"
	"fanout/test/fixture"
)

const everyFormat = "--registration=native,capi,argocd"

// credentials are two ways into a member with the rights that it needs and no others.
func (w *world) credentials(t *testing.T, agent string) map[string]*rest.Config {
	t.Helper()
	member := w.members[agent]
	return map[string]*rest.Config{
		"a token":              member.LeastRightsToken(t, "member.yaml", w.namespace, time.Hour),
		"a client certificate": fixture.ReadKubeconfig(t, member.LeastRights(t, "member.yaml", w.namespace)),
	}
}

// A cluster that Cluster API made is a member by the Secret that Cluster API keeps for it, under the cluster's name.
func TestClusterAPIRegistration(t *testing.T) {
	w := newWorld(t, "us-east-prod")
	controller := w.startFanout(t, everyFormat)
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.hub.Apply(t, w.canary("elsewhere", "*-kubeconfig"))
	w.expectHolders(t, "api-health", "us-east-prod")
	for what, credential := range w.credentials(t, "eu-west-prod") {
		t.Log(what)
		w.hub.RegisterClusterAPI(t, w.namespace, "eu-west-prod", fixture.Kubeconfig(t, credential))
		w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
		w.expectDerived(t, "eu-west-prod", "api-health") // for the agent of that name
		w.expectSecretEvent(t, "eu-west-prod-kubeconfig", "Connected", "Connected to the cluster")
		w.expectTTL(t, controller, "eu-west-prod", w.endOf(t, credential))

		w.hub.Deregister(t, w.namespace, "eu-west-prod-kubeconfig")
		w.expectSecretGone(t, "eu-west-prod-kubeconfig")
		w.expectHolders(t, "api-health", "us-east-prod")
		if left := controller.Metric(t, "fanout_derived_canaries", "agent", "eu-west-prod"); left != 0 {
			t.Errorf("%v copies are counted of a member that is gone", left)
		}
	}
	w.expectHolders(t, "elsewhere")

	t.Log("it is deregistered when it is another cluster's, and leaves its copies when it is to")
	kubeconfig := w.members["eu-west-prod"].LeastRights(t, "member.yaml", w.namespace)
	w.hub.RegisterClusterAPI(t, w.namespace, "eu-west-prod", kubeconfig)
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	w.patchSecret(t, "eu-west-prod-kubeconfig", `{"metadata":{"labels":{"cluster.x-k8s.io/cluster-name":"another"}}}`)
	w.expectHolders(t, "api-health", "us-east-prod")
	fixture.Eventually(t, "the Secret is free", func() error { return w.finalizers(t, "eu-west-prod-kubeconfig") })
	w.hub.RegisterClusterAPI(t, w.namespace, "eu-west-prod", kubeconfig)
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	w.patchSecret(t, "eu-west-prod-kubeconfig", `{"metadata":{"annotations":{"fanout.flanksource.com/on-deregister":"keep"}}}`)
	w.hub.Deregister(t, w.namespace, "eu-west-prod-kubeconfig")
	w.expectSecretGone(t, "eu-west-prod-kubeconfig")
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
}

// endOf is when a credential ends, of whatever kind.
func (w *world) endOf(t *testing.T, credential *rest.Config) time.Time {
	t.Helper()
	if credential.BearerToken != "" {
		return endOfToken(t, credential.BearerToken)
	}
	return endOfCertificate(t, fixture.Kubeconfig(t, credential))
}

// A cluster that is registered with Argo CD is a member by the same Secret, under the name that it has there.
func TestArgoCDRegistration(t *testing.T) {
	const secret = "cluster-10.0.0.3-4711"
	w := newWorld(t, "us-east-prod")
	controller := w.startFanout(t, everyFormat)
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.expectHolders(t, "api-health", "us-east-prod")
	for what, credential := range w.credentials(t, "eu-west-prod") {
		t.Log(what)
		w.hub.RegisterArgoCD(t, w.namespace, secret, "eu-west-prod", credential)
		w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
		w.expectDerived(t, "eu-west-prod", "api-health")
		w.expectSecretEvent(t, secret, "Connected", "Connected to the cluster")
		w.expectTTL(t, controller, "eu-west-prod", w.endOf(t, credential))

		w.hub.Deregister(t, w.namespace, secret)
		w.expectSecretGone(t, secret)
		w.expectHolders(t, "api-health", "us-east-prod")
	}

	t.Log("Argo CD's own cluster is the hub, and a command is refused in the hub")
	own := &rest.Config{Host: "https://kubernetes.default.svc"}
	w.hub.RegisterArgoCD(t, w.namespace, "in-cluster", "in-cluster", own)
	w.expectSecretEvent(t, "in-cluster", "Refused", `name the agent "local" in agentSelector instead`)
	w.hub.RegisterArgoCD(t, w.namespace, secret, "eu-west-prod", own)
	command := base64.StdEncoding.EncodeToString([]byte(`{"execProviderConfig":{"command":"argocd-k8s-auth","args":["aws"]}}`))
	w.patchSecret(t, secret, `{"data":{"server":"`+base64.StdEncoding.EncodeToString([]byte("https://10.0.0.3"))+`","config":"`+command+`"}}`)
	w.expectSecretEvent(t, secret, "Refused", "config.execProviderConfig (line 1) runs a command in the hub")
}

// Copies follow an agent that is renamed: those that the new name is selected for are its own, and no other is left.
func TestRenamedAgent(t *testing.T) {
	const secret = "cluster-10.0.0.3-4711"
	w := newWorld(t)
	controller := w.startFanout(t, everyFormat)
	w.hub.Apply(t, w.canary("for-both", "*"))
	w.hub.Apply(t, w.canary("for-the-old", "old-*"))
	w.hub.Apply(t, w.canary("for-the-new", "new-*"))
	credential := w.members["eu-west-prod"].LeastRightsToken(t, "member.yaml", w.namespace, time.Hour)
	w.hub.RegisterArgoCD(t, w.namespace, secret, "old-name", credential)
	w.expectHolders(t, "for-both", "eu-west-prod")
	w.expectHolders(t, "for-the-old", "eu-west-prod")
	w.expectHolders(t, "for-the-new")

	t.Log("a name that none can have changes nothing")
	w.patchSecret(t, secret, `{"data":{"name":"`+base64.StdEncoding.EncodeToString([]byte("Old Name"))+`"}}`)
	w.expectSecretEvent(t, secret, "Refused", `the key "name" is no name for an agent`)
	w.expectCopyOf(t, "old-name", "for-both")

	before := w.members["eu-west-prod"].Get(t, w.canaries, "for-both").GetUID()
	w.hub.RegisterArgoCD(t, w.namespace, secret, "new-name", credential)
	w.expectCopyOf(t, "new-name", "for-both")
	w.expectCopyOf(t, "new-name", "for-the-new")
	w.expectHolders(t, "for-the-old")
	if after := w.members["eu-west-prod"].Get(t, w.canaries, "for-both").GetUID(); after != before {
		t.Error("a copy that both names are selected for was deleted and created anew")
	}
	for _, copied := range w.members["eu-west-prod"].List(t) {
		if agent := copied.GetAnnotations()["fanout.flanksource.com/agent"]; agent != "new-name" {
			t.Errorf("%s is still %q's", copied.GetName(), agent)
		}
	}
	for _, name := range []string{"fanout_derived_canaries", ttl} {
		if left := controller.Metric(t, name, "agent", "old-name"); left != 0 {
			t.Errorf("%s of the old name is %v", name, left)
		}
		fixture.Eventually(t, "the new name has its "+name, func() error {
			if controller.Metric(t, name, "agent", "new-name") == 0 {
				return errors.New("it has not")
			}
			return nil
		})
	}
}

// expectCopyOf waits until a copy in eu-west-prod's cluster is agent's.
func (w *world) expectCopyOf(t *testing.T, agent, name string) {
	t.Helper()
	fixture.Eventually(t, fmt.Sprintf("the copy of %s is %s's", name, agent), func() error {
		return fixture.Derived(w.members["eu-west-prod"].Get(t, w.canaries, name), w.hub.Get(t, w.canaries, name), agent)
	})
}

// A Secret in a format that is not understood is left alone: no copy, no finalizer, no Event.
func TestFormatThatIsSwitchedOffIsIgnored(t *testing.T) {
	w := newWorld(t, "us-east-prod")
	credential := w.members["eu-west-prod"].LeastRightsToken(t, "member.yaml", w.namespace, time.Hour)
	w.hub.RegisterClusterAPI(t, w.namespace, "eu-west-prod", fixture.Kubeconfig(t, credential))
	w.hub.RegisterArgoCD(t, w.namespace, "cluster-1", "eu-west-prod", &rest.Config{Host: "http://no-good"})
	first := w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectHolders(t, "api-health", "us-east-prod")
	w.hub.RegisterArgoCD(t, w.namespace, "cluster-1", "eu-west-prod", credential) // an edit is ignored, too
	w.hub.Apply(t, w.canary("afterwards", "*"))
	w.expectHolders(t, "afterwards", "us-east-prod")
	w.expectUntouched(t, "eu-west-prod-kubeconfig")
	w.expectUntouched(t, "cluster-1")
	first.Stop(t)

	t.Log("switched on, one of the two registers the member, and the other is said to be its duplicate")
	second := w.startFanout(t, everyFormat)
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	w.expectOneRefused(t, "eu-west-prod-kubeconfig", "cluster-1")
	second.Stop(t)

	t.Log("switched off again, as by a flag that was forgotten, nothing is written or removed in the member")
	w.startFanout(t)
	fixture.Eventually(t, "the Secret that registered the member says so", func() error {
		events := append(w.eventsOn(t, "eu-west-prod-kubeconfig"), w.eventsOn(t, "cluster-1")...)
		for _, event := range events {
			if strings.Contains(event, "which is switched off") {
				return nil
			}
		}
		return fmt.Errorf("the two have %q", events)
	})
	w.hub.Delete(t, w.canaries, "afterwards")
	w.expectHolders(t, "afterwards", "eu-west-prod")
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")

	t.Log("without their labels the member is deregistered and the Secrets are free")
	w.patchSecret(t, "eu-west-prod-kubeconfig", `{"metadata":{"labels":null}}`)
	w.patchSecret(t, "cluster-1", `{"metadata":{"labels":null}}`)
	w.expectHolders(t, "api-health", "us-east-prod")
	w.expectHolders(t, "afterwards")
	for _, name := range []string{"eu-west-prod-kubeconfig", "cluster-1"} {
		fixture.Eventually(t, name+" is held by nobody", func() error { return w.finalizers(t, name) })
	}
}

func (w *world) expectUntouched(t *testing.T, name string) {
	t.Helper()
	if err := w.finalizers(t, name); err != nil {
		t.Errorf("Secret %s: %v", name, err)
	}
	if events := w.eventsOn(t, name); len(events) != 0 {
		t.Errorf("Secret %s has the Events %q", name, events)
	}
}

// finalizers returns an error if the Secret has any.
func (w *world) finalizers(t *testing.T, name string) error {
	t.Helper()
	secret, err := w.hub.Kube.CoreV1().Secrets(w.namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return fixture.Same("its finalizers", len(secret.Finalizers), 0)
}

// eventsOn returns the reasons and messages of the Events on a Secret.
func (w *world) eventsOn(t *testing.T, name string) []string {
	t.Helper()
	events, err := w.hub.Kube.CoreV1().Events(w.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, event := range events.Items {
		if event.InvolvedObject.Name == name {
			all = append(all, event.Reason+": "+event.Message)
		}
	}
	return all
}

// expectOneRefused waits until the younger of two Secrets is refused as the duplicate of the older.
func (w *world) expectOneRefused(t *testing.T, names ...string) {
	t.Helper()
	secrets := w.hub.Kube.CoreV1().Secrets(w.namespace)
	first, err := secrets.Get(t.Context(), names[0], metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := secrets.Get(t.Context(), names[1], metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if second.CreationTimestamp.Before(&first.CreationTimestamp) ||
		second.CreationTimestamp.Equal(&first.CreationTimestamp) && second.Name < first.Name {
		first, second = second, first
	}
	w.expectSecretEvent(t, second.Name, "Refused", fmt.Sprintf("duplicates %q: both Secrets register the agent", first.Name))
}

// Two Secrets that say one name are one agent, whatever clusters they lead to: the older Secret's. The other has its turn
// when that has gone, and what stood in the first cluster is removed.
func TestOneNameIsOneAgent(t *testing.T) {
	w := newWorld(t)
	w.startFanout(t, everyFormat, "--probe-period=300ms", "--probe-timeout=1s")
	w.hub.Apply(t, w.canary("api-health", "prod"))
	w.hub.Register(t, w.namespace, "prod", w.members["eu-west-prod"].LeastRights(t, "member.yaml", w.namespace))
	w.expectHolders(t, "api-health", "eu-west-prod")
	w.tick(t, "prod") // so that the next Secret is younger by its creationTimestamp, which counts in seconds
	w.hub.RegisterClusterAPI(t, w.namespace, "prod", w.members["us-east-prod"].LeastRights(t, "member.yaml", w.namespace))
	w.expectSecretEvent(t, "prod-kubeconfig", "Refused", `duplicates "prod": both Secrets register the agent "prod"`)
	if err := w.finalizers(t, "prod-kubeconfig"); err != nil {
		t.Errorf("the duplicate: %v", err)
	}

	t.Log("an outage of the first does not make the agent another cluster")
	w.stop(t, "eu-west-prod")
	w.expectSecretEvent(t, "prod", "Unreachable", "unreachable")
	w.patchSecret(t, "prod-kubeconfig", `{"metadata":{"annotations":{"touched":"1"}}}`) // so that it is looked at again
	w.hub.Apply(t, w.canary("during", "ap-south-dev"))
	w.hub.Register(t, w.namespace, "ap-south-dev", w.members["ap-south-dev"].LeastRights(t, "member.yaml", w.namespace))
	w.expectDerived(t, "ap-south-dev", "during")
	if copied := w.members["us-east-prod"].Get(t, w.canaries, "api-health"); copied != nil {
		t.Error("the second cluster has got a copy")
	}
	w.start(t, "eu-west-prod")
	w.expectHolders(t, "api-health", "eu-west-prod")

	w.hub.Deregister(t, w.namespace, "prod")
	w.expectSecretGone(t, "prod")
	w.expectHolders(t, "api-health", "us-east-prod")
}

// An older Secret that comes to say an agent's name takes it over, and the one that had it is cleaned when it is deleted,
// while the agent works in the other cluster.
func TestAnOlderSecretTakesTheNameOver(t *testing.T) {
	w := newWorld(t)
	w.hub.Register(t, w.namespace, "older", w.members["eu-west-prod"].LeastRights(t, "member.yaml", w.namespace))
	w.patchSecret(t, "older", `{"metadata":{"labels":{"`+clusters.LabelSecretType+`":null}}}`)
	w.tick(t, "older")
	w.startFanout(t, everyFormat)
	w.hub.Apply(t, w.canary("api-health", "prod"))
	w.hub.Apply(t, w.canary("other", "prod"))
	w.hub.RegisterArgoCD(t, w.namespace, "younger", "prod", w.members["us-east-prod"].LeastRightsToken(t, "member.yaml", w.namespace, time.Hour))
	w.expectHolders(t, "api-health", "us-east-prod")

	credential := w.members["eu-west-prod"].LeastRightsToken(t, "member.yaml", w.namespace, time.Hour)
	w.hub.RegisterArgoCD(t, w.namespace, "older", "prod", credential)
	w.expectSecretEvent(t, "younger", "Refused", `duplicates "older"`)
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod") // nobody has said that the other's are to go
	w.hub.Delete(t, w.canaries, "other")
	w.expectHolders(t, "other", "us-east-prod")

	w.hub.Deregister(t, w.namespace, "younger")
	w.expectSecretGone(t, "younger")
	w.expectHolders(t, "api-health", "eu-west-prod")
	w.expectHolders(t, "other")
	w.hub.Apply(t, w.canary("later", "prod"))
	w.expectHolders(t, "later", "eu-west-prod")
}

// tick waits until the API server's clock has gone on by a second since the Secret was created.
func (w *world) tick(t *testing.T, secret string) {
	t.Helper()
	got, err := w.hub.Kube.CoreV1().Secrets(w.namespace).Get(t.Context(), secret, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	aSecondAfter(t, got.CreationTimestamp.Time)
}

// aSecondAfter waits until the API servers' clocks, which count in seconds, have gone on since then.
func aSecondAfter(t *testing.T, then time.Time) {
	t.Helper()
	fixture.Eventually(t, "a second has passed", func() error {
		if time.Since(then) < time.Second+10*time.Millisecond {
			return fmt.Errorf("it has not")
		}
		return nil
	})
}
