package integration

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"fanout/test/fixture"
)

// How long a member's credential still lasts is told while it is registered: a token's as it says itself, a client
// certificate's, and nothing of what says nothing.
func TestCredentialTTL(t *testing.T) {
	const lifetime = 15 * time.Minute
	w := newWorld(t)
	token := w.members["eu-west-prod"].LeastRightsToken(t, "member.yaml", w.namespace, lifetime)
	w.hub.Register(t, w.namespace, "eu-west-prod", fixture.Kubeconfig(t, token))
	certificate := w.members["us-east-prod"].LeastRights(t, "member.yaml", w.namespace)
	w.hub.Register(t, w.namespace, "us-east-prod", certificate)
	w.hub.Register(t, w.namespace, "ap-south-dev", fixture.Kubeconfig(t, &rest.Config{Host: "https://127.0.0.1:1", BearerToken: "opaque"}))
	controller := w.startFanout(t)
	fixture.Eventually(t, "two members are connected, one is not", func() error {
		return fixture.Same("the numbers", []float64{
			controller.Metric(t, "fanout_members", "state", "Connected"), controller.Metric(t, "fanout_members", "state", "Unreachable"),
		}, []float64{2, 1})
	})

	w.expectTTL(t, controller, "eu-west-prod", endOfToken(t, token.BearerToken))
	if left := controller.Metric(t, ttl, "agent", "eu-west-prod"); left <= 0 || left > lifetime.Seconds() {
		t.Errorf("of a token for %s, %vs are left", lifetime, left)
	}
	w.expectTTL(t, controller, "us-east-prod", endOfCertificate(t, certificate))
	if left := controller.Metric(t, ttl, "agent", "ap-south-dev"); left != 0 {
		t.Errorf("of an opaque token, %vs are left", left)
	}

	t.Log("another token, with another end")
	longer := w.members["eu-west-prod"].LeastRightsToken(t, "member.yaml", w.namespace, 2*lifetime)
	w.hub.Register(t, w.namespace, "eu-west-prod", fixture.Kubeconfig(t, longer))
	w.expectSecretEvent(t, "eu-west-prod", "Renewed", "in use")
	w.expectTTL(t, controller, "eu-west-prod", endOfToken(t, longer.BearerToken))

	for _, agent := range []string{"eu-west-prod", "us-east-prod"} {
		w.hub.Deregister(t, w.namespace, agent)
		w.expectSecretGone(t, agent)
		fixture.Eventually(t, "the series of "+agent+" is gone", func() error {
			return fixture.Same("it", controller.Metric(t, ttl, "agent", agent), 0)
		})
	}
}

const ttl = "fanout_credential_ttl_seconds"

// expectTTL waits until the metric counts to end, within the time that it takes to ask.
func (w *world) expectTTL(t *testing.T, controller *fixture.Fanout, agent string, end time.Time) {
	t.Helper()
	fixture.Eventually(t, agent+"'s credential ends when it says", func() error {
		most := time.Until(end).Seconds()
		left := controller.Metric(t, ttl, "agent", agent)
		if least := time.Until(end).Seconds(); left < least || left > most {
			return fmt.Errorf("%vs are left, not %v to %v", left, least, most)
		}
		return nil
	})
}

// endOfToken is what the JWT says itself.
func endOfToken(t *testing.T, token string) time.Time {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Exp int64 }
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	return time.Unix(claims.Exp, 0)
}

func endOfCertificate(t *testing.T, kubeconfig []byte) time.Time {
	t.Helper()
	config := fixture.ReadKubeconfig(t, kubeconfig)
	pair, err := tls.X509KeyPair(config.CertData, config.KeyData)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return certificate.NotAfter
}

// A credential whose end comes while the member works is warned of before and then, and once.
func TestCredentialExpires(t *testing.T) {
	w := newWorld(t)
	controller := w.startFanout(t, "--probe-period=200ms")
	end := time.Now().Add(15 * time.Second).Truncate(time.Second) // fanout knows the member before that, on a busy machine too
	w.hub.Register(t, w.namespace, "eu-west-prod", trustingMember(t, w.members["eu-west-prod"], end))
	w.expectSecretEvent(t, "eu-west-prod", "CredentialExpiring", end.UTC().Format(time.RFC3339))
	w.expectSecretEvent(t, "eu-west-prod", "CredentialExpired", "The token in use expired at "+end.UTC().Format(time.RFC3339))
	if left := controller.Metric(t, ttl, "agent", "eu-west-prod"); left >= 0 {
		t.Errorf("after the end %vs are left", left)
	}

	t.Log("the member took it all the time; so an edit still arrives, and several probes have passed by then")
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectDerived(t, "eu-west-prod", "api-health")
	w.hub.Register(t, w.namespace, "eu-west-prod", trustingMember(t, w.members["eu-west-prod"], end.Add(time.Hour)))
	w.expectSecretEvent(t, "eu-west-prod", "Renewed", "in use")
	// The second token is for half a day, of which an hour is left: near, but not imminent.
	w.expectSecretEvent(t, "eu-west-prod", "CredentialExpiring", end.Add(time.Hour).UTC().Format(time.RFC3339))
	events, err := w.hub.Kube.CoreV1().Events(w.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int32{}
	for _, event := range events.Items {
		if event.InvolvedObject.Name == "eu-west-prod" {
			told[event.Reason] += max(1, event.Count)
		}
	}
	if told["CredentialExpiring"] != 2 || told["CredentialExpired"] != 1 {
		t.Errorf("told %v", told)
	}
}

// trustingMember lets everybody into member who has a token, of whatever content, and returns a kubeconfig with one that
// says that it ends then, after half a day.
func trustingMember(t *testing.T, member *fixture.Cluster, end time.Time) []byte {
	t.Helper()
	transport, err := rest.TransportFor(member.Config)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(member.Config.Host)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Authorization") // and goes in as the administrator, by a client certificate
		},
		Transport:     transport,
		FlushInterval: -1,
	})
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	claims := fmt.Sprintf(`{"iat":%d,"exp":%d}`, end.Add(-12*time.Hour).Unix(), end.Unix())
	return fixture.Kubeconfig(t, &rest.Config{
		Host: server.URL, BearerToken: part(`{"alg":"none"}`) + "." + part(claims) + "." + part("x"),
		TLSClientConfig: rest.TLSClientConfig{CAData: pemOf(server)},
	})
}

// A new token for the same member is used from its first request on, and the watches that run go on: by the member's
// own count of them, and its own record of whose token a write came with.
func TestTokenChangeKeepsWatches(t *testing.T) {
	const rotations = 5
	w := newWorld(t)
	member := w.members["eu-west-prod"]
	newToken := func() *rest.Config { return member.LeastRightsToken(t, "member.yaml", w.namespace, time.Hour) }
	w.hub.Register(t, w.namespace, "eu-west-prod", fixture.Kubeconfig(t, newToken()))
	controller := w.startFanout(t, "--resync-period=200ms")
	check := w.canary("api-health", "*")
	w.hub.Apply(t, check)
	w.expectDerived(t, "eu-west-prod", "api-health")

	// A watch is counted as a request when it has ended, and among those that run until then.
	watches := func() [2]float64 {
		of := []string{"verb", "WATCH", "resource", "canaries"}
		return [2]float64{member.Metric(t, "apiserver_request_total", of...), member.Metric(t, "apiserver_longrunning_requests", of...)}
	}
	var before [2]float64
	fixture.Eventually(t, "the member serves a watch", func() error {
		if before = watches(); before[1] == 0 {
			return fmt.Errorf("it serves %v", before)
		}
		return nil
	})
	seen := []string{w.lastCredential(t, "eu-west-prod")}
	for i := range rotations {
		w.hub.Register(t, w.namespace, "eu-west-prod", fixture.Kubeconfig(t, newToken()))
		w.expectCount(t, "eu-west-prod", 1)
		fixture.Eventually(t, fmt.Sprintf("fanout went over to another token %d times", i+1), func() error {
			return fixture.Same("it", strings.Count(controller.Log(), "Went over to the changed kubeconfig"), i+1)
		})
		check.Object["spec"].(map[string]any)["schedule"] = fmt.Sprintf("@every %dm", i+1)
		w.hub.Apply(t, check)
		w.expectDerived(t, "eu-west-prod", "api-health")
		credential := w.lastCredential(t, "eu-west-prod")
		if !strings.HasPrefix(credential, "JTI=") || slices.Contains(seen, credential) {
			t.Errorf("after rotation %d the write came with %q, as one before: %q", i+1, credential, seen)
		}
		seen = append(seen, credential)
	}
	t.Log("somebody's change is still seen, by the watch that runs since before the first rotation")
	member.Patch(t, w.canaries, "api-health", `{"spec":{"schedule":"@every 9h"}}`)
	w.expectDerived(t, "eu-west-prod", "api-health")
	if after := watches(); after != before {
		t.Errorf("watches ended and running: %v, before the rotations %v", after, before)
	}
}

// lastCredential is what the last write of a Canary in agent's cluster came with.
func (w *world) lastCredential(t *testing.T, agent string) string {
	t.Helper()
	writes := w.canaryWrites(t)[agent]
	if len(writes) == 0 {
		t.Fatal("there was no write")
	}
	return writes[len(writes)-1].Credential
}

// A credential that is revoked, one that has lost its rights, and a member that is down are three different things.
func TestWhatIsWrongWithAMemberIsTold(t *testing.T) {
	w := newWorld(t)
	for _, agent := range agents {
		token := w.members[agent].LeastRightsToken(t, "member.yaml", w.namespace, time.Hour)
		w.hub.Register(t, w.namespace, agent, fixture.Kubeconfig(t, token))
	}
	controller := w.startFanout(t, "--probe-period=300ms", "--probe-timeout=2s")
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectHolders(t, "api-health", agents...)
	expectStates := func(want map[string]float64) {
		t.Helper()
		fixture.Eventually(t, fmt.Sprintf("the members are %v", want), func() error {
			got := map[string]float64{}
			for state := range want {
				got[state] = controller.Metric(t, "fanout_members", "state", state)
			}
			return fixture.Same("the count", got, want)
		})
	}
	expectStates(map[string]float64{"Connected": 3, "Unauthorized": 0, "Forbidden": 0, "Unreachable": 0})

	// A token ends with its ServiceAccount.
	accounts := w.members["eu-west-prod"].Kube.CoreV1().ServiceAccounts(w.namespace)
	if err := accounts.Delete(t.Context(), "fanout", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	bindings := w.members["us-east-prod"].Kube.RbacV1().ClusterRoleBindings()
	if err := bindings.Delete(t.Context(), "fanout-member", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.stop(t, "ap-south-dev")
	expectStates(map[string]float64{"Connected": 0, "Unauthorized": 1, "Forbidden": 1, "Unreachable": 1})
	w.expectSecretEvent(t, "eu-west-prod", "Unauthorized", "401")
	w.expectSecretEvent(t, "us-east-prod", "Forbidden", "grant it the member's ClusterRole")
	w.expectSecretEvent(t, "ap-south-dev", "Unreachable", "unreachable")

	t.Log("each is mended in its own way")
	token := w.members["eu-west-prod"].LeastRightsToken(t, "member.yaml", w.namespace, time.Hour)
	w.hub.Register(t, w.namespace, "eu-west-prod", fixture.Kubeconfig(t, token))
	_ = w.members["us-east-prod"].LeastRights(t, "member.yaml", w.namespace)
	w.start(t, "ap-south-dev")
	expectStates(map[string]float64{"Connected": 3, "Unauthorized": 0, "Forbidden": 0, "Unreachable": 0})
	w.hub.Apply(t, w.canary("after", "*"))
	w.expectHolders(t, "after", agents...)
}
