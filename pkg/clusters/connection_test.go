package clusters

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"fanout/pkg/clusters/kubeconfig"
	"fanout/pkg/shard"
)

// patience is how long a test waits for what should come; it measures nothing.
const patience = 20 * time.Second

// kubeconfigFor is a kubeconfig with that server, user (a YAML line) and CA.
var namespaceResource = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}

func kubeconfigFor(server, user, ca string) []byte {
	cluster := "{server: " + server
	if ca != "" {
		cluster += ", tls-server-name: example.com, certificate-authority-data: " + ca
	}
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: member
contexts: [{name: member, context: {cluster: member, user: member}}]
clusters: [{name: member, cluster: %s}}]
users:
- name: member
  user:
    %s
`, cluster, user)
}

// aMember is an API server that notes who asks it what.
type aMember struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string // token and path
	closed chan struct{}
}

// serving starts a member over TLS, with HTTP/2 as API servers do.
func serving(t *testing.T, handler http.HandlerFunc) *aMember {
	m := &aMember{closed: make(chan struct{}, 16)}
	m.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		m.mu.Lock()
		m.asked = append(m.asked, strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")+" "+req.URL.Path)
		m.mu.Unlock()
		handler(w, req)
	}))
	m.EnableHTTP2 = true
	m.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail, as they should
	m.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			select {
			case m.closed <- struct{}{}:
			default:
			}
		}
	}
	m.StartTLS()
	t.Cleanup(m.Close)
	return m
}

func (m *aMember) requests() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.asked...)
}

func (m *aMember) ca() string {
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.Certificate().Raw}))
}

// connect connects to m, at a path and with a token.
func (m *aMember) connect(t *testing.T, path, token string) *connection {
	t.Helper()
	return connectTo(t, kubeconfigFor(m.URL+path, "token: "+token, m.ca()))
}

func connectTo(t *testing.T, text []byte) *connection {
	t.Helper()
	config, err := kubeconfig.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := newConnection(config, "fanout/test", (*shard.Share)(nil).FenceDial)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.close)
	return conn
}

// clientOver is a client whose line goes over conn.
func clientOver(t *testing.T, conn *connection) (rest.Interface, *line) {
	t.Helper()
	current := &line{}
	current.swap(conn)
	client, err := newClient("eu-west-prod", current)
	if err != nil {
		t.Fatal(err)
	}
	return client, current
}

func kubeSystem(uid string) http.HandlerFunc {
	return answering(http.StatusOK, "application/json",
		fmt.Sprintf(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kube-system","uid":%q}}`, uid))
}

func answering(code int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func aStatus(code int, reason string) http.HandlerFunc {
	return answering(code, "application/json", fmt.Sprintf(
		`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"code":%d,"message":"token <secret-token> is not known"}`, reason, code))
}

func TestProbeAsksAMemberWhoItIs(t *testing.T) {
	m := serving(t, func(w http.ResponseWriter, req *http.Request) {
		if req.ProtoMajor != 2 || req.UserAgent() != "fanout/test" || strings.Contains(req.Host, "eu-west-prod") {
			t.Errorf("asked over %s by %q for %q", req.Proto, req.UserAgent(), req.Host)
		}
		kubeSystem("member-1")(w, req)
	})
	for _, path := range []string{"", "/", "/k8s/clusters/c-1", "/k8s/clusters/c-1/"} {
		t.Run("at "+path, func(t *testing.T) {
			before := len(m.requests())
			client, _ := clientOver(t, m.connect(t, path, "secret-token"))
			id, err := probe(t.Context(), client, m.URL, patience)
			if err != nil || id != "member-1" {
				t.Errorf("probe: %q, %v", id, err)
			}
			want := "secret-token " + strings.TrimSuffix(path, "/") + "/api/v1/namespaces/kube-system"
			if asked := m.requests()[before:]; len(asked) != 1 || asked[0] != want {
				t.Errorf("asked %q, want %q once", asked, want)
			}
		})
	}
}

func TestProbeTellsWhatIsWrong(t *testing.T) {
	const notKubernetes = "not as a Kubernetes API"
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		state  State
		says   string
	}{
		{"401", aStatus(401, "Unauthorized"), Unauthorized, "401"},
		{"401 of a proxy", answering(401, "text/html", "<html>secret-token</html>"), Unauthorized, "401"},
		{"403", aStatus(403, "Forbidden"), Forbidden, "kube-system"},
		{"404", aStatus(404, "NotFound"), Unreachable, "unreachable"},
		{"404 page", answering(404, "text/plain", "404 page not found"), Unreachable, notKubernetes},
		{"500", aStatus(500, "InternalError"), Unreachable, "unreachable"},
		{"500 of something else", answering(500, "text/plain", "secret-token"), Unreachable, notKubernetes},
		{"503", aStatus(503, "ServiceUnavailable"), Unreachable, "unreachable"},
		{"an HTML page", answering(200, "text/html; charset=utf-8", "<html>secret-token</html>"), Unreachable, notKubernetes},
		{"an HTML page that claims to be JSON", answering(200, "application/json", "<html>secret-token</html>"), Unreachable, notKubernetes},
		{"nothing", answering(200, "application/json", ""), Unreachable, notKubernetes},
		{"other JSON", answering(200, "application/json", `{"hello":"secret-token"}`), Unreachable, notKubernetes},
		{"a JSON list", answering(200, "application/json", `["secret-token"]`), Unreachable, notKubernetes},
		{"another kind", answering(200, "application/json", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"kube-system","uid":"x"}}`), Unreachable, notKubernetes},
		{"a Status that says success", answering(200, "application/json", `{"apiVersion":"v1","kind":"Status","status":"Success"}`), Unreachable, notKubernetes},
		{"no UID", kubeSystem(""), Unreachable, notKubernetes},
		{"a redirect", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.example.com/")
			w.WriteHeader(http.StatusFound)
		}, Unreachable, notKubernetes},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := serving(t, row.answer)
			client, _ := clientOver(t, m.connect(t, "", "secret-token"))
			id, err := probe(t.Context(), client, m.URL, patience)
			if id != "" || err == nil || StateOf(err) != row.state || !strings.Contains(err.Error(), row.says) {
				t.Fatalf("probe: %q, %v; state %s", id, err, StateOf(err))
			}
			if row.says == notKubernetes && strings.Contains(err.Error(), "secret-token") {
				t.Errorf("it repeats what was answered: %v", err)
			}
			if asked := m.requests(); len(asked) != 1 {
				t.Errorf("asked %q", asked)
			}
		})
	}
}

func TestAServerWithAnotherCertificateIsNotTold(t *testing.T) {
	m := serving(t, kubeSystem("member-1"))
	// Without m's certificate among its CAs, it trusts the system's only.
	client, _ := clientOver(t, connectTo(t, kubeconfigFor(m.URL, "token: secret-token", "")))
	if _, err := probe(t.Context(), client, m.URL, patience); !errors.Is(err, errUnreachable) || len(m.requests()) != 0 {
		t.Errorf("probe: %v; asked %q", err, m.requests())
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	target := serving(t, kubeSystem("member-2"))
	for _, code := range []int{301, 302, 303, 307, 308} {
		m := serving(t, func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, target.URL+req.URL.Path, code)
		})
		client, _ := clientOver(t, m.connect(t, "", "secret-token"))
		if id, err := probe(t.Context(), client, m.URL, patience); !errors.Is(err, errUnreachable) {
			t.Errorf("%d: probe: %q, %v", code, id, err)
		}
		if asked := m.requests(); len(asked) != 1 {
			t.Errorf("%d: asked %q", code, asked)
		}
	}
	if asked := target.requests(); len(asked) != 0 {
		t.Errorf("the redirect's target was asked %q", asked)
	}
}

func TestTheEnvironmentsProxyIsNotUsed(t *testing.T) {
	var proxied sync.Map
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { proxied.Store(req.Host, true) }))
	defer proxy.Close()
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	m := serving(t, kubeSystem("member-1"))
	// An address of this machine that the rule for loopback addresses does not know.
	server := strings.Replace(m.URL, "127.0.0.1", "0.0.0.0", 1)
	req, err := http.NewRequest(http.MethodGet, server, nil)
	if err != nil {
		t.Fatal(err)
	}
	if through, err := http.ProxyFromEnvironment(req); through == nil || err != nil {
		t.Fatalf("the environment says %v, %v: the test proves nothing", through, err)
	}

	client, _ := clientOver(t, connectTo(t, kubeconfigFor(server, "token: secret-token", m.ca())))
	if id, err := probe(t.Context(), client, m.URL, patience); err != nil || id != "member-1" {
		t.Errorf("probe: %q, %v", id, err)
	}
	proxied.Range(func(host, _ any) bool {
		t.Errorf("the proxy was asked for %v", host)
		return true
	})
}

// streaming answers the probe at once, and a watch with one event now and another when told to go on.
type streaming struct {
	*aMember
	goOn chan struct{}
	gone chan struct{}
}

func serveStreams(t *testing.T, uid string) *streaming {
	s := &streaming{goOn: make(chan struct{}), gone: make(chan struct{}, 8)}
	event := func(w http.ResponseWriter, version string) {
		fmt.Fprintf(w, `{"type":"ADDED","object":{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a","resourceVersion":%q}}}`+"\n", version)
		w.(http.Flusher).Flush()
	}
	s.aMember = serving(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Query().Get("watch") == "" {
			kubeSystem(uid)(w, req)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		event(w, "1")
		select {
		case <-s.goOn:
			event(w, "2")
		case <-req.Context().Done():
			s.gone <- struct{}{}
		}
	})
	return s
}

// nextVersion returns the version that a watch brings next, or "" once it has ended.
func nextVersion(t *testing.T, running watch.Interface) string {
	t.Helper()
	select {
	case event, ok := <-running.ResultChan():
		if !ok || event.Type == watch.Error {
			return ""
		}
		return event.Object.(metav1.Object).GetResourceVersion()
	case <-time.After(patience):
		t.Fatal("the watch brings nothing")
		return ""
	}
}

func TestASwapKeepsWhatRunsAndSendsWhatBeginsOverTheNewConnection(t *testing.T) {
	old, new := serveStreams(t, "member-1"), serveStreams(t, "member-1")
	client, current := clientOver(t, old.connect(t, "", "old-token"))
	running, err := dynamic.New(client).Resource(namespaceResource).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Stop()
	if version := nextVersion(t, running); version != "1" {
		t.Fatalf("the watch brings %q", version)
	}

	current.swap(new.connect(t, "/prefix", "new-token"))
	if id, err := probe(t.Context(), client, new.URL, patience); err != nil || id != "member-1" {
		t.Errorf("probe: %q, %v", id, err)
	}
	if asked := new.requests(); len(asked) != 1 || asked[0] != "new-token /prefix/api/v1/namespaces/kube-system" {
		t.Errorf("the new server was asked %q", asked)
	}
	close(old.goOn)
	if version := nextVersion(t, running); version != "2" {
		t.Errorf("after the swap the watch brings %q", version)
	}
	if version := nextVersion(t, running); version != "" {
		t.Errorf("after its end the watch brings %q", version)
	}
	if asked := old.requests(); len(asked) != 1 || asked[0] != "old-token /api/v1/namespaces" {
		t.Errorf("the old server was asked %q", asked)
	}
}

// Over HTTP/2 CloseIdleConnections does nothing to a connection on which a request still runs: it is closed when that
// has ended, a little later.
func TestARetiredConnectionIsClosedOnceNothingRunsOverIt(t *testing.T) {
	old, new := serveStreams(t, "member-1"), serveStreams(t, "member-1")
	client, current := clientOver(t, old.connect(t, "", "old-token"))
	running, err := dynamic.New(client).Resource(namespaceResource).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	nextVersion(t, running)
	current.swap(new.connect(t, "", "new-token"))
	running.Stop()
	select {
	case <-old.closed:
	case <-time.After(patience):
		t.Error("the old connection is still open")
	}
}

func TestARetiredIdleConnectionIsClosed(t *testing.T) {
	old, new := serving(t, kubeSystem("member-1")), serving(t, kubeSystem("member-1"))
	client, current := clientOver(t, old.connect(t, "", "old-token"))
	if _, err := probe(t.Context(), client, old.URL, patience); err != nil {
		t.Fatal(err)
	}
	current.swap(new.connect(t, "", "new-token"))
	select {
	case <-old.closed:
	case <-time.After(patience):
		t.Error("the old connection is still open")
	}
}

// That no goroutine is left is TestMain's to see.
func TestCloseEndsWhatRuns(t *testing.T) {
	m := serveStreams(t, "member-1")
	conn := m.connect(t, "", "secret-token")
	client, _ := clientOver(t, conn)
	running, err := dynamic.New(client).Resource(namespaceResource).Watch(context.Background(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	nextVersion(t, running)
	conn.close()
	for nextVersion(t, running) != "" {
	}
	select {
	case <-m.gone:
	case <-time.After(patience):
		t.Error("the member still serves the watch")
	}
	conn.close() // again does no harm
}

func TestAConnectionDoesNoIOBeforeItIsUsed(t *testing.T) {
	m := serving(t, kubeSystem("member-1"))
	conn := m.connect(t, "", "secret-token")
	if conn.hash == "" || conn.base.Host != strings.TrimPrefix(m.URL, "https://") {
		t.Errorf("the connection is to %v", conn.base)
	}
	clientOver(t, conn)
	if asked := m.requests(); len(asked) != 0 {
		t.Errorf("asked %q", asked)
	}
}
