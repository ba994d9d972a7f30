package integration

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/test/fixture"
)

// A member that never answers, and one that is no Kubernetes API, delay none of the others.
func TestSickMembersDelayNobody(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.hub.Register(t, w.namespace, "silent-prod", silentMember(t))
	w.hub.Register(t, w.namespace, "alien-prod", alienMember(t))
	w.hub.Register(t, w.namespace, "broken-prod", []byte("no kubeconfig at all"))
	controller := w.startFanout(t, "--probe-timeout=10m", "--request-timeout=10m")
	w.hub.Apply(t, w.canary("api-health", "*-prod"))

	// The silent member's probe is still under way: its timeout is longer than this test may take.
	w.expectDerived(t, "eu-west-prod", "api-health")
	w.expectDerived(t, "us-east-prod", "api-health")
	fixture.Eventually(t, "the sick members are counted as what they are", func() error {
		for state, want := range map[string]float64{"Connected": 2, "Connecting": 1, "Unreachable": 1, "Refused": 1} {
			if got := controller.Metric(t, "fanout_members", "state", state); got != want {
				return fmt.Errorf("%v members are %s, not %v", got, state, want)
			}
		}
		return nil
	})
	w.expectSecretEvent(t, "alien-prod", "Unreachable", "not as a Kubernetes API")
	w.expectSecretEvent(t, "broken-prod", "Refused", "kubeconfig")
}

// silentMember accepts connections and answers nothing.
func silentMember(t *testing.T) []byte {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		var held []net.Conn // by the test: a connection that nothing refers to would be closed
		for {
			conn, err := listener.Accept()
			if err != nil {
				for _, conn := range held {
					conn.Close()
				}
				return
			}
			held = append(held, conn)
		}
	}()
	return fixture.Kubeconfig(t, &rest.Config{Host: "https://" + listener.Addr().String(), BearerToken: "t"})
}

// alienMember is an HTTPS server that knows nothing of Kubernetes.
func alienMember(t *testing.T) []byte {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintln(w, `{"hello":"world"}`)
	}))
	t.Cleanup(server.Close)
	return fixture.Kubeconfig(t, &rest.Config{
		Host: server.URL, BearerToken: "t",
		TLSClientConfig: rest.TLSClientConfig{CAData: pemOf(server)},
	})
}

// A member that is registered gets what it should hold, and one that is deregistered is cleaned before its
// Secret goes.
func TestRegisterAndDeregister(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.expectHolders(t, "api-health", "eu-west-prod")

	w.register(t, "us-east-prod")
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	w.members["us-east-prod"].Apply(t, fixture.Canary(w.canaries, "bundled"))

	w.hub.Deregister(t, w.namespace, "us-east-prod")
	w.expectSecretGone(t, "us-east-prod")
	w.expectHolders(t, "api-health", "eu-west-prod")
	w.expectHolders(t, "bundled", "us-east-prod")
	w.expectSecretEvent(t, "us-east-prod", "Deregistered", "is gone from it")

	t.Log("back again")
	w.register(t, "us-east-prod")
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
}

func TestDeregisterKeeps(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.expectHolders(t, "api-health", "eu-west-prod")
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"annotations":{"fanout.flanksource.com/on-deregister":"keep"}}}`)
	w.hub.Deregister(t, w.namespace, "eu-west-prod")
	w.expectSecretGone(t, "eu-west-prod")
	w.expectHolders(t, "api-health", "eu-west-prod")
}

// A Secret that loses its label is deregistered like one that is deleted, and stays.
func TestUnlabelledIsDeregistered(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.expectHolders(t, "api-health", "eu-west-prod")
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"labels":{"fanout.flanksource.com/secret-type":null}}}`)
	w.expectHolders(t, "api-health")
	fixture.Eventually(t, "the finalizer is gone", func() error {
		secret, err := w.hub.Kube.CoreV1().Secrets(w.namespace).Get(t.Context(), "eu-west-prod", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return fixture.Same("the number of finalizers", len(secret.Finalizers), 0)
	})
}

// A member that can't be reached holds up its deregistration no longer than it may, and the hub's owner is told.
func TestDeregisterUnreachable(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t, "--deregister-timeout=3s", "--probe-period=500ms")
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.expectHolders(t, "api-health", "eu-west-prod")
	w.stop(t, "eu-west-prod")
	w.hub.Deregister(t, w.namespace, "eu-west-prod")
	w.expectSecretGone(t, "eu-west-prod")
	w.expectSecretEvent(t, "eu-west-prod", "CleanupTimedOut", "kubectl delete canaries -A -l fanout.flanksource.com/hub=")
}

// Who does not want to wait for a member may still say so when its Secret is deleted already.
func TestDeregisterKeepsWhatTakesTooLong(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.startFanout(t, "--probe-period=500ms")
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	held := w.members["us-east-prod"]
	held.Patch(t, w.canaries, "api-health", `{"metadata":{"finalizers":["example.com/hold"]}}`)
	w.stop(t, "eu-west-prod")
	for agent, told := range map[string]string{"eu-west-prod": "Leaving", "us-east-prod": "Terminating"} {
		w.hub.Deregister(t, w.namespace, agent)
		w.expectSecretEvent(t, agent, told, "")
		w.patchSecret(t, agent, `{"metadata":{"annotations":{"fanout.flanksource.com/on-deregister":"keep"}}}`)
		w.expectSecretGone(t, agent)
		w.expectSecretEvent(t, agent, "Deregistered", "stays there")
	}
	held.Patch(t, w.canaries, "api-health", `{"metadata":{"finalizers":null}}`)
}

// A Secret that gets its label back while its member is being cleaned is a registration as before.
func TestDeregisteringIsTakenBack(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	member := w.members["eu-west-prod"]
	w.startFanout(t)
	w.hub.Apply(t, w.canary("held", "*"))
	w.expectDerived(t, "eu-west-prod", "held")
	member.Patch(t, w.canaries, "held", `{"metadata":{"finalizers":["example.com/hold"]}}`)
	w.hub.Apply(t, w.canary("free", "*"))
	w.expectDerived(t, "eu-west-prod", "free")
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"labels":{"fanout.flanksource.com/secret-type":null}}}`)
	w.expectHolders(t, "free")
	w.patchSecret(t, "eu-west-prod", `{"metadata":{"labels":{"fanout.flanksource.com/secret-type":"cluster"}}}`)
	w.expectDerived(t, "eu-west-prod", "free")
	member.Patch(t, w.canaries, "held", `{"metadata":{"finalizers":null}}`)
	w.expectDerived(t, "eu-west-prod", "held")
	secret, err := w.hub.Kube.CoreV1().Secrets(w.namespace).Get(t.Context(), "eu-west-prod", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(secret.Finalizers) != 1 {
		t.Errorf("it has the finalizers %q", secret.Finalizers)
	}
}

// A Secret that was deleted while fanout was away, longer ago than the timeout, still has its member cleaned.
func TestDeregisterWhileAway(t *testing.T) {
	const timeout = 6 * time.Second // and time enough to clean on a busy machine
	w := newWorld(t, "eu-west-prod")
	first := w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.expectHolders(t, "api-health", "eu-west-prod")
	first.Stop(t)
	w.hub.Deregister(t, w.namespace, "eu-west-prod")
	secrets := w.hub.Kube.CoreV1().Secrets(w.namespace)
	fixture.Eventually(t, "it was deleted longer ago than the timeout", func() error {
		secret, err := secrets.Get(t.Context(), "eu-west-prod", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if ago := time.Since(secret.DeletionTimestamp.Time); ago <= timeout {
			return fmt.Errorf("it was deleted %s ago", ago)
		}
		return nil
	})
	w.startFanout(t, "--deregister-timeout="+timeout.String())
	w.expectSecretGone(t, "eu-west-prod")
	w.expectHolders(t, "api-health")
}

// An outage of one member is its own; when it is back it is brought up to date without being asked for.
func TestMemberOutage(t *testing.T) {
	w := newWorld(t, agents...)
	controller := w.startFanout(t, "--probe-period=300ms", "--probe-timeout=1s")
	check := w.canary("api-health", "*")
	w.hub.Apply(t, check)
	w.hub.Apply(t, w.canary("to-go", "*"))
	w.expectHolders(t, "api-health", agents...)
	w.expectHolders(t, "to-go", agents...)

	w.stop(t, "us-east-prod")
	fixture.Eventually(t, "the member is known to be down", func() error {
		return fixture.Same("unreachable members", controller.Metric(t, "fanout_members", "state", "Unreachable"), 1)
	})
	check.Object["spec"].(map[string]any)["schedule"] = "@every 1m"
	w.hub.Apply(t, check)
	w.hub.Delete(t, w.canaries, "to-go") // not blocked by the dead member
	w.hub.Apply(t, w.canary("new", "*"))
	for _, agent := range []string{"eu-west-prod", "ap-south-dev"} {
		w.expectDerived(t, agent, "api-health")
		w.expectDerived(t, agent, "new")
	}

	w.start(t, "us-east-prod")
	w.expectDerived(t, "us-east-prod", "api-health")
	w.expectHolders(t, "new", agents...)
	w.expectHolders(t, "to-go")
}

// Two Secrets that lead to one cluster are one member, the older Secret's; the hub is no member of itself.
func TestOneClusterIsOneMember(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectHolders(t, "api-health", "eu-west-prod")

	w.hub.Register(t, w.namespace, "twin", w.members["eu-west-prod"].LeastRights(t, "member.yaml", w.namespace))
	w.expectSecretEvent(t, "twin", "Refused", `duplicates "eu-west-prod"`)
	w.hub.Register(t, w.namespace, "myself", w.hub.Kubeconfig)
	w.expectSecretEvent(t, "myself", "Refused", "the hub itself")
	w.hub.Register(t, w.namespace, "local", w.members["us-east-prod"].Kubeconfig)
	w.expectSecretEvent(t, "local", "Refused", "another name")

	copied := w.expectDerived(t, "eu-west-prod", "api-health")
	if agent := copied.GetAnnotations()["fanout.flanksource.com/agent"]; agent != "eu-west-prod" {
		t.Errorf("the copy is %q's", agent)
	}
	t.Log("the twin takes over when the first has left")
	w.hub.Deregister(t, w.namespace, "eu-west-prod")
	fixture.Eventually(t, "the copy is the twin's", func() error {
		copied := w.members["eu-west-prod"].Get(t, w.canaries, "api-health")
		if copied == nil {
			return fmt.Errorf("there is no copy")
		}
		return fixture.Same("its agent", copied.GetAnnotations()["fanout.flanksource.com/agent"], "twin")
	})
}

// A changed credential is used once it has proven itself; a bad one leaves the good one at work.
func TestCredentialChange(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	w.startFanout(t, "--probe-period=300ms")
	check := w.canary("api-health", "*")
	w.hub.Apply(t, check)
	w.expectHolders(t, "api-health", "eu-west-prod")
	member := w.members["eu-west-prod"]

	bad := *member.Config
	bad.CertData, bad.KeyData, bad.BearerToken = nil, nil, "not-a-token"
	w.hub.Register(t, w.namespace, "eu-west-prod", fixture.Kubeconfig(t, &bad))
	w.expectSecretEvent(t, "eu-west-prod", "Unauthorized", "the last one still is")
	check.Object["spec"].(map[string]any)["schedule"] = "@every 1m"
	w.hub.Apply(t, check)
	w.expectDerived(t, "eu-west-prod", "api-health")

	other, err := member.KubeconfigFor(t.Context(), "rotated", "system:masters")
	if err != nil {
		t.Fatal(err)
	}
	w.hub.Register(t, w.namespace, "eu-west-prod", other)
	w.expectSecretEvent(t, "eu-west-prod", "Renewed", "in use")
	check.Object["spec"].(map[string]any)["schedule"] = "@every 2m"
	w.hub.Apply(t, check)
	w.expectDerived(t, "eu-west-prod", "api-health")
	writes := w.canaryWrites(t)["eu-west-prod"]
	if by := writes[len(writes)-1].User; by != "rotated" {
		t.Errorf("the last write was by %q, not with the new credential", by)
	}
}

func (w *world) patchSecret(t *testing.T, name, patch string) {
	t.Helper()
	_, err := w.hub.Kube.CoreV1().Secrets(w.namespace).Patch(t.Context(), name, "application/merge-patch+json", []byte(patch), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) expectSecretGone(t *testing.T, name string) {
	t.Helper()
	fixture.Eventually(t, "Secret "+name+" is gone", func() error {
		_, err := w.hub.Kube.CoreV1().Secrets(w.namespace).Get(t.Context(), name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is there (%v)", err)
	})
}

// expectSecretEvent waits for an Event on a Secret.
func (w *world) expectSecretEvent(t *testing.T, name, reason, text string) {
	t.Helper()
	w.expectEvent(t, w.namespace, name, reason, text)
}

func (w *world) expectEvent(t *testing.T, namespace, name, reason, text string) {
	t.Helper()
	expectEventIn(t, w.hub, namespace, name, reason, text)
}

// expectEventIn waits for an Event on an object in cluster.
func expectEventIn(t *testing.T, cluster *fixture.Cluster, namespace, name, reason, text string) {
	t.Helper()
	fixture.Eventually(t, fmt.Sprintf("an Event %s %q on %s", reason, text, name), func() error {
		told := eventsIn(t, cluster, namespace, name)
		for _, event := range told {
			if strings.HasPrefix(event, reason+": ") && strings.Contains(event, text) {
				return nil
			}
		}
		return fmt.Errorf("it has %q", told)
	})
}

// expectNoEvent fails if there is such an Event now.
func (w *world) expectNoEvent(t *testing.T, namespace, name, reason, text string) {
	t.Helper()
	for _, event := range eventsIn(t, w.hub, namespace, name) {
		if strings.HasPrefix(event, reason+": ") && strings.Contains(event, text) {
			t.Errorf("%s is told %q", name, event)
		}
	}
}

// eventsIn returns the reasons and messages of the Events on an object.
func eventsIn(t *testing.T, cluster *fixture.Cluster, namespace, name string) []string {
	t.Helper()
	events, err := cluster.Kube.CoreV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, event := range events.Items {
		if event.InvolvedObject.Name == name {
			told = append(told, event.Reason+": "+event.Message)
		}
	}
	return told
}
