package integration

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"fanout/test/fixture"
)

// Whatever a Secret holds, and whatever a member makes of its credential, nothing of it is printed: not in the logs at the
// highest level there is, nor in an Event, a Canary or a metric.
func TestNothingOfASecretIsPrinted(t *testing.T) {
	w := newWorld(t)
	planted := map[string]string{}
	plant := func(name string) string {
		planted[name] = "planted-" + name + "-5c0ffee5"
		return planted[name]
	}

	good := w.members["eu-west-prod"].LeastRightsToken(t, "member.yaml", w.namespace, time.Hour)
	planted["the good token"] = good.BearerToken
	w.hub.Register(t, w.namespace, "eu-west-prod", fixture.Kubeconfig(t, good))
	bad := *good
	bad.BearerToken = plant("bad-token")
	w.hub.Register(t, w.namespace, "bad-token", fixture.Kubeconfig(t, &bad))
	parrot := newParrot(t)
	w.hub.Register(t, w.namespace, "parrot", parrot.kubeconfig(t, plant("parrot-token")))
	refused := refusedKubeconfigs(plant)
	for name, kubeconfig := range refused {
		w.hub.Register(t, w.namespace, name, []byte(kubeconfig))
	}

	controller := w.startFanout(t, "--v=7", "--probe-period=300ms", "--request-timeout=2s")
	for i := range 2 * len(parrotAnswers) { // to each the parrot says something else
		w.hub.Apply(t, w.canary(fmt.Sprintf("api-health-%d", i), "*"))
	}
	w.expectDerived(t, "eu-west-prod", "api-health-0")
	for name := range refused {
		w.expectSecretEvent(t, name, "Refused", "")
	}
	w.expectSecretEvent(t, "bad-token", "Unauthorized", "")
	fixture.Eventually(t, "the parrot has said all that it knows to say", func() error {
		if n := parrot.writes.Load(); n < int32(2*len(parrotAnswers)) {
			return fmt.Errorf("it was written to %d times", n)
		}
		return nil
	})
	fixture.Eventually(t, "a parent is told what the parrot said, without the credential", func() error {
		events, err := w.hub.Kube.CoreV1().Events(w.canaries).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		told := asJSON(t, events)
		for _, what := range []string{`"Conflict"`, `"Rejected"`, "[redacted]"} {
			if !strings.Contains(told, what) {
				return fmt.Errorf("there is no %s in: %s", what, told)
			}
		}
		return nil
	})
	w.hub.Register(t, w.namespace, "eu-west-prod", parrot.kubeconfig(t, plant("rotated-token")))
	w.expectSecretEvent(t, "eu-west-prod", "Connected", "a-parrot")
	w.hub.Deregister(t, w.namespace, "parrot")

	events, err := w.hub.Kube.CoreV1().Events(metav1.NamespaceAll).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	printed := map[string]string{"the log": controller.Log(), "the metrics": controller.Metrics(t)}
	printed["the Events"] = asJSON(t, events)
	for _, cluster := range []*fixture.Cluster{w.hub, w.members["eu-west-prod"]} {
		printed["the Canaries in "+cluster.Name] = asJSON(t, cluster.List(t))
	}
	for where, text := range printed {
		if len(text) < 100 {
			t.Errorf("%s can't be all there is: %q", where, text)
		}
		for name, secret := range planted {
			for _, form := range []string{secret, inJSONEscapes(secret), base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret))} {
				if at := strings.Index(text, form); at >= 0 {
					t.Errorf("%s: %s is in %s: …%s", name, form[:16], where, text[max(0, at-300):at])
				}
			}
		}
	}
}

// inJSONEscapes spells a string as JSON can do too, so that no search for its bytes finds it.
func inJSONEscapes(s string) (escaped string) {
	for _, c := range s {
		escaped += fmt.Sprintf(`\u%04x`, c)
	}
	return escaped
}

func asJSON(t *testing.T, of any) string {
	t.Helper()
	text, err := json.Marshal(of)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// refusedKubeconfigs are such as fanout does not take, with something planted wherever there is room.
func refusedKubeconfigs(plant func(string) string) map[string]string {
	kubeconfig := func(cluster, user string) string {
		return "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n" +
			"clusters: [{name: c, cluster: " + cluster + "}]\nusers: [{name: u, user: " + user + "}]\n"
	}
	const server = "{server: 'https://127.0.0.1:1'}"
	return map[string]string{
		"exec":           kubeconfig(server, "{exec: {command: aws, args: ["+plant("exec-argument")+"], env: [{name: A, value: "+plant("exec-env")+"}]}}"),
		"auth-provider":  kubeconfig(server, "{auth-provider: {name: gcp, config: {access-token: "+plant("provider")+"}}}"),
		"token-file":     kubeconfig(server, "{tokenFile: /var/run/secrets/"+plant("token-file")+"}"),
		"certificate":    kubeconfig(server, "{client-certificate-data: "+base64.StdEncoding.EncodeToString([]byte(plant("no-certificate")))+", client-key-data: "+plant("no-key")+"}"),
		"impersonation":  kubeconfig(server, "{token: "+plant("token-beside")+", as: "+plant("impersonated")+"}"),
		"unknown":        kubeconfig(server, "{token: "+plant("token-of-unknown")+", "+plant("unknown-key")+": 1}"),
		"duplicate":      kubeconfig(server, "{token: "+plant("first")+", token: "+plant("second")+"}"),
		"proxy":          kubeconfig("{server: 'https://127.0.0.1:1', proxy-url: 'http://u:"+plant("proxy-password")+"@127.0.0.1:2'}", "{token: t0ken}"),
		"user-in-server": kubeconfig("{server: 'https://u:"+plant("server-password")+"@127.0.0.1:1'}", "{token: t0ken}"),
		"path-as-ca":     kubeconfig("{server: 'https://127.0.0.1:1', certificate-authority: /etc/"+plant("ca-file")+"}", "{token: t0ken}"),
		"broken-yaml":    "users: [{name: u, user: {token: " + plant("in-broken-yaml") + "}\n  x: : :",
		"just-a-token":   plant("instead-of-a-kubeconfig"),
		"anchors":        "a: &a " + plant("anchored") + "\nb: *a\n",
	}
}

// parrot is a member that repeats the credential it is given in every way that an answer has room for.
type parrot struct {
	*httptest.Server
	lists, writes atomic.Int32
}

// parrotAnswers are what it says to a write, by turns. %s is what it was sent.
var parrotAnswers = []struct {
	code int
	body string
}{
	{409, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Conflict","message":"%s","code":409}`},
	{422, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","message":"spec.%s: unknown","code":422,"details":{"causes":[{"message":"%s"}]}}`},
	{500, `you said %s`},
	{403, `<html>you said %s</html>`},
	{200, `{"you":"said %s"}`},
	{200, `{"kind":"Canary","apiVersion":"canaries.flanksource.com/v1","metadata":"%s"}`},
}

func newParrot(t *testing.T) *parrot {
	p := &parrot{}
	p.Server = httptest.NewTLSServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *parrot) kubeconfig(t *testing.T, token string) []byte {
	return fixture.Kubeconfig(t, &rest.Config{Host: p.URL, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAData: pemOf(p.Server)}})
}

func (p *parrot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	said := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	escaped := inJSONEscapes(said)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Warning", `299 - "you said `+said+`"`)
	query := r.URL.Query()
	switch {
	case strings.HasSuffix(r.URL.Path, "/namespaces/kube-system"):
		fmt.Fprint(w, `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":"a-parrot"}}`)
	case r.Method == http.MethodPatch:
		answer := parrotAnswers[int(p.writes.Add(1)-1)%len(parrotAnswers)]
		w.WriteHeader(answer.code)
		fmt.Fprint(w, strings.ReplaceAll(answer.body, "%s", escaped+" "+said))
	case query.Get("sendInitialEvents") == "true":
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","message":"%s","code":422}`, escaped)
	case query.Get("watch") != "":
		fmt.Fprintf(w, `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","message":"%s","code":500}}`+"\n", escaped)
	case strings.HasSuffix(r.URL.Path, "/canaries"):
		switch p.lists.Add(1) % 3 {
		case 0:
			fmt.Fprintf(w, `{"you":"said %s"}`, said)
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, `you said %s`, said)
		default:
			fmt.Fprint(w, `{"kind":"CanaryList","apiVersion":"canaries.flanksource.com/v1","metadata":{"resourceVersion":"1"},"items":[]}`)
		}
	default: // the Canary itself, which is another hub's
		fmt.Fprintf(w, `{"kind":"Canary","apiVersion":"canaries.flanksource.com/v1","metadata":{"namespace":"n","name":"api-health","uid":"u","resourceVersion":"1","labels":{"fanout.flanksource.com/hub":"%s"}}}`, escaped)
	}
}
