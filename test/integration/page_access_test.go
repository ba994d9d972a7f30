package integration

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fanout/pkg/api"
	"fanout/test/fixture"
	"fanout/test/selfsigned"
)

// certificate is one in files, as an operator mounts it.
type certificate struct {
	ca        []byte
	pair      tls.Certificate
	cert, key string
}

func newCertificate(t *testing.T, name string) *certificate {
	t.Helper()
	dir := t.TempDir()
	c := &certificate{cert: filepath.Join(dir, "tls.crt"), key: filepath.Join(dir, "tls.key")}
	c.renew(t, name)
	return c
}

// renew writes another one into the files.
func (c *certificate) renew(t *testing.T, name string) {
	t.Helper()
	ca, serving, err := selfsigned.Certificate(name)
	if err != nil {
		t.Fatal(err)
	}
	c.ca, c.pair = ca, serving.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(c.pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string][]byte{c.cert: ca, c.key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// visitor asks for the page and the API, from outside.
type visitor struct {
	address string
	client  *http.Client
	headers map[string]string
}

// newVisitor trusts one server, and shows a certificate of its own where there is one.
func newVisitor(t *testing.T, address string, server, own *certificate, headers ...string) *visitor {
	t.Helper()
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(server.ca)
	if own != nil {
		config.Certificates = []tls.Certificate{own.pair}
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	v := &visitor{address, &http.Client{Transport: transport}, map[string]string{}}
	for i := 0; i < len(headers); i += 2 {
		v.headers[headers[i]] = headers[i+1]
	}
	return v
}

func (v *visitor) open(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.address+path, nil)
	if err != nil {
		return nil, err
	}
	request.Host = "fanout.example.com" // by which those outside know it
	for name, value := range v.headers {
		request.Header.Set(name, value)
	}
	return v.client.Do(request)
}

func (v *visitor) get(t *testing.T, path string) (code int, body string) {
	t.Helper()
	response, err := v.open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// expectRefused complains where anything but a refusal is answered.
func (v *visitor) expectRefused(t *testing.T, who string, code int, says string) {
	t.Helper()
	for _, path := range []string{"/", "/events/", "/agents/eu-west-prod", "/assets/page.js", "/api/v1/agents", "/api/v1/canaries", "/nowhere"} {
		if got, body := v.get(t, path); got != code || !strings.Contains(body, says) {
			t.Errorf("%s asks for %s and is answered %d %s, not %d %s", who, path, got, body, code, says)
		}
	}
}

// Whoever comes from outside is asked who he is, and sees what the hub lets him: of what he may not see, there is nothing anywhere.
func TestThePageOfTenants(t *testing.T) {
	w := newWorld(t, "eu-west-prod")
	veiled := fixture.Canary(w.canaries+"-veiled", "veiled-check", "eu-*")
	w.hub.Apply(t, w.hourly("api-health", "*"))
	w.hub.Apply(t, veiled)
	w.hub.LeastRights(t, "hub-page.yaml", w.namespace)
	serving, proxy := newCertificate(t, "fanout"), newCertificate(t, "proxy")
	// Not on loopback, which is what this is about: the only server of the tests that is not, and it lets nobody in who has no token.
	controller := w.startFanout(t, "--api-bind-address=0.0.0.0:0", "--api-tls-cert-file", serving.cert, "--api-tls-private-key-file", serving.key,
		"--api-proxy-user-header=X-Forwarded-User", "--api-proxy-groups-header=X-Forwarded-Groups", "--api-proxy-client-ca-file", proxy.cert)
	a := teller{controller.API(t), w}
	a.expectCopy(t, "api-health", "eu-west-prod", "is in sync", func(c api.Copy) bool { return c.InSync })
	a.expectAgent(t, "eu-west-prod", "holds both", func(agent api.Agent) bool { return agent.InSync == 2 })

	address := controller.AskingAddress(t)
	tokens := map[string]string{}
	visit := func(who string, namespaces ...string) (v *visitor, disallow func()) {
		t.Helper()
		for _, namespace := range namespaces {
			disallow = w.hub.Allow(t, "system:serviceaccount:"+w.namespace+":"+who, namespace, may("get", "canaries.flanksource.com", "canaries"))
		}
		tokens[who] = w.hub.Token(t, w.namespace, who, time.Hour)
		return newVisitor(t, address, serving, nil, "Authorization", "Bearer "+tokens[who]), disallow
	}
	admin, _ := visit("admin", "")
	tenant, _ := visit("tenant", w.canaries)
	other, disallowOther := visit("other", veiled.GetNamespace())
	nobody, _ := visit("nobody")

	t.Log("who is not known, or may see nothing")
	newVisitor(t, address, serving, nil).expectRefused(t, "who has no token", 401, "it is not known who you are")
	newVisitor(t, address, serving, nil, "Authorization", "Bearer "+tokens["admin"]+"x").expectRefused(t, "who has a wrong token", 401, "it is not known who you are")
	nobody.expectRefused(t, "who has no right", 403, "may get canaries.canaries.flanksource.com in no namespace")

	t.Log("who may see all")
	if _, body := admin.get(t, "/"); !strings.Contains(body, "veiled-check") || !strings.Contains(body, "api-health") {
		t.Errorf("an administrator does not see all:\n%s", body)
	}
	if _, body := other.get(t, "/api/v1/canaries"); !strings.Contains(body, "veiled-check") || strings.Contains(body, "api-health") {
		t.Errorf("the other tenant sees %s", body)
	}

	t.Log("a tenant")
	veiledPath := veiled.GetNamespace() + "/veiled-check"
	for path, want := range map[string]int{
		"/": 200, "/?canary=veiled": 200, "/?by=region&columns=groups": 200, "/canaries/" + w.canaries + "/api-health": 200, "/agents/eu-west-prod": 200, "/agents/local": 200,
		"/api/v1/canaries": 200, "/api/v1/agents": 200, "/api/v1/agents?namespace=" + veiled.GetNamespace(): 200, "/api/v1/canaries?namespace=" + veiled.GetNamespace(): 200,
		"/api/v1/canaries/" + w.canaries + "/api-health": 200, "/api/v1/agents/eu-west-prod/canaries/" + w.canaries + "/api-health": 200,
		"/canaries/" + veiledPath: 404, "/api/v1/canaries/" + veiledPath: 404, "/api/v1/agents/eu-west-prod/canaries/" + veiledPath: 404,
	} {
		code, body := tenant.get(t, path)
		if code != want {
			t.Errorf("%s is answered %d", path, code)
		}
		// What he asks for is in the page's own address, and is not to be found anywhere else.
		body = strings.ReplaceAll(body, "/events"+path, "")
		if strings.Contains(body, veiled.GetNamespace()) || strings.Contains(body, "veiled-check") {
			t.Errorf("%s tells of what is hidden:\n%s", path, body)
		}
	}
	var told api.Agents
	_, body := tenant.get(t, "/api/v1/agents")
	if err := json.Unmarshal([]byte(body), &told); err != nil {
		t.Fatal(err)
	}
	agent := told.Items[slices.IndexFunc(told.Items, func(a api.Agent) bool { return a.Name == "eu-west-prod" })]
	if agent.Selected != 1 || agent.InSync != 1 || agent.Secret != "" || agent.CredentialExpires != nil || agent.State != "Connected" {
		t.Errorf("%+v", agent)
	}
	disallowOther()

	t.Log("his page is live")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	stream, err := tenant.open(ctx, "/events/")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	w.members["eu-west-prod"].Report(t, veiled.GetNamespace(), "veiled-check", fixture.Failing(time.Now(), "veiled-error"))
	w.members["eu-west-prod"].Report(t, w.canaries, "api-health", fixture.Failing(time.Now(), "expected 500 to be in [200]"))
	if stream.ProtoMajor != 2 {
		t.Errorf("it comes by %s, of which a browser has six connections only", stream.Proto)
	}
	lines := bufio.NewScanner(stream.Body)
	lines.Buffer(nil, 1<<20)
	live := false
	for !live && lines.Scan() {
		live = strings.Contains(lines.Text(), "1 of 1 Canary fails somewhere")
		if strings.Contains(lines.Text(), veiled.GetNamespace()) || strings.Contains(lines.Text(), "2 of") {
			t.Errorf("the stream tells of what is hidden: %s", lines.Text())
		}
	}
	if !live {
		t.Errorf("the stream ended before it brought what failed: %v", lines.Err())
	}

	t.Log("a proxy in front, and who says that he is one")
	w.hub.Allow(t, "alice@example.com", w.canaries, may("get", "canaries.flanksource.com", "canaries"))
	as := func(own *certificate, user, groups string) *visitor {
		return newVisitor(t, address, serving, own, "X-Forwarded-User", user, "X-Forwarded-Groups", groups)
	}
	if code, body := as(proxy, "alice@example.com", "team").get(t, "/"); code != 200 || !strings.Contains(body, "api-health") || strings.Contains(body, "veiled-check") {
		t.Errorf("by a proxy: %d\n%s", code, body)
	}
	as(proxy, "bob@example.com", "team").expectRefused(t, "who has no right, by a proxy,", 403, "bob@example.com")
	as(proxy, "", "system:masters").expectRefused(t, "who has no name", 401, "it is not known who you are")
	as(nil, "alice@example.com", "system:masters").expectRefused(t, "who is no proxy", 401, "it is not known who you are")
	as(newCertificate(t, "proxy"), "alice@example.com", "").expectRefused(t, "who has another certificate", 401, "it is not known who you are")

	t.Log("a certificate that is renewed")
	old := serving.ca
	serving.renew(t, "fanout")
	fixture.Eventually(t, "the new one is shown", func() error {
		response, err := newVisitor(t, address, serving, nil).open(t.Context(), "/")
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
	serving.ca = old
	if response, err := newVisitor(t, address, serving, nil).open(t.Context(), "/"); err == nil {
		response.Body.Close()
		t.Error("the old certificate is shown as well")
	}

	t.Log("a right that was taken away, and what is said of all this")
	fixture.Eventually(t, "the other tenant sees nothing any more", func() error {
		code, body := other.get(t, "/")
		if code == http.StatusForbidden {
			return nil
		}
		return fmt.Errorf("%d %s", code, body[:min(len(body), 500)])
	})
	for who, token := range tokens {
		if strings.Contains(controller.Log(), token) || strings.Contains(controller.Log(), token[len(token)/2:]) {
			t.Errorf("the token of %s is in the log", who)
		}
	}
}

// On loopback, where a proxy runs beside the controller, nobody is let in whom it does not name.
func TestThePageBehindASidecar(t *testing.T) {
	w := newWorld(t)
	w.hub.Apply(t, w.canary("api-health", "*"))
	// As a ServiceAccount of this test's own, which has no rights that another test has granted.
	identity := w.hub.LeastRightsToken(t, "hub.yaml", w.namespace, time.Hour)
	controller := fixture.StartFanout(t, fixture.Kubeconfig(t, identity), "--cluster-namespace", w.namespace, "--api-proxy-user-header=X-Forwarded-User")
	address := controller.APIAddress(t)
	v := &visitor{address, http.DefaultClient, map[string]string{}}
	v.expectRefused(t, "whom the proxy does not name", 401, "it is not known who you are")
	v.headers["Authorization"] = "Bearer " + w.hub.Token(t, w.namespace, "admin", time.Hour)
	v.expectRefused(t, "whom the proxy does not name, with a token,", 401, "it is not known who you are")
	v.headers["X-Forwarded-User"] = "alice@example.com"
	v.expectRefused(t, "of whom fanout may not ask the hub", 503, "the hub could not be asked what you may see")
	w.hub.LeastRights(t, "hub-page.yaml", w.namespace)
	w.hub.Allow(t, "alice@example.com", w.canaries, may("get", "canaries.flanksource.com", "canaries"))
	fixture.Eventually(t, "alice sees her Canary", func() error {
		if code, body := v.get(t, "/"); code != 200 || !strings.Contains(body, "api-health") {
			return fmt.Errorf("%d %s", code, body[:min(len(body), 500)])
		}
		return nil
	})
}
