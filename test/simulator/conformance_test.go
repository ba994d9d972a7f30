package simulator

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"fanout/test/controlplane"
	"fanout/test/fixture"
)

var planes *controlplane.Set

func TestMain(m *testing.M) {
	// Each check takes thousands of merges. The command line may ask for more.
	if err := flag.Set("rapid.checks", "10"); err != nil {
		panic(err)
	}
	os.Exit(controlplane.ForMain(m, &planes, "real"))
}

// server is one of the two that have to answer alike.
type server struct {
	name, base string
	config     *rest.Config
	client     *http.Client
	kept       map[string]string // what earlier answers said, by "name.uid" and "name.version"
}

// both returns a real API server and a simulated member, each with the Canary CRD and the namespace "here".
func both(t *testing.T) []*server {
	t.Helper()
	fixture.Recorded(t, "http-pass.json") // where this is beside the clone, the CRD with a schema is, too
	real := fixture.In(t, planes, "real")
	if err := real.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
		t.Fatal(err)
	}
	simulated := startMember(t)
	servers := []*server{newServer(t, "real", real.Config), newServer(t, "simulated", simulated)}
	t.Cleanup(func() { real.Clean(t, "default") })
	return servers
}

func startMember(t *testing.T) *rest.Config {
	t.Helper()
	s, err := Start(Options{Members: 1, CRD: fixture.CRD(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	config, err := clientcmd.RESTConfigFromKubeConfig(s.Kubeconfig(0))
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	return config
}

func newServer(t *testing.T, name string, config *rest.Config) *server {
	t.Helper()
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return &server{name: name, base: config.Host, config: config, client: client, kept: map[string]string{}}
}

// fill puts what earlier answers said in place of {name.uid} and {name.version}.
func (s *server) fill(text string) string {
	for name, value := range s.kept {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// ask makes a request and returns the answer's code and what it holds.
func (s *server) ask(t *testing.T, method, path, contentType, body string) (*http.Response, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.base+s.fill(path), strings.NewReader(s.fill(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "conformance/1")
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	answer := map[string]any{}
	if err := json.Unmarshal(text, &answer); err != nil {
		answer["text"] = string(text)
	}
	return response, answer
}

// keep remembers an answer's uid and version.
func (s *server) keep(name string, answer map[string]any) {
	metadata, _ := answer["metadata"].(map[string]any)
	uid, _ := metadata["uid"].(string)
	version, _ := metadata["resourceVersion"].(string)
	s.kept[name+".uid"], s.kept[name+".version"] = uid, version
}

var (
	anUID    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
	aVersion = regexp.MustCompile(`\b\d+\b`)
)

// comparable returns an answer without what differs from one server to the next: uids, times and versions.
func comparable(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			text, isText := inner.(string)
			switch {
			case isText && text == "":
			case slices.Contains([]string{"creationTimestamp", "deletionTimestamp", "time"}, name):
				if at, err := time.Parse(time.RFC3339, text); err == nil && time.Since(at).Abs() < time.Hour {
					value[name] = "a time"
				}
			case name == "resourceVersion", name == "continue":
				value[name] = "a version"
			case name == "uid":
				value[name] = "a uid"
			case name == "manager" && text == "controlplane": // the name of the program that a real API server is here
				value[name] = "kube-apiserver"
			case name == "message":
				value[name] = aVersion.ReplaceAllString(anUID.ReplaceAllString(text, "UID"), "N")
			default:
				value[name] = comparable(inner)
			}
		}
		if managed, ok := value["managedFields"].([]any); ok {
			slices.SortFunc(managed, func(a, b any) int { return bytes.Compare(jsonOf(a), jsonOf(b)) })
		}
		return value
	case []any:
		for i, inner := range value {
			value[i] = comparable(inner)
		}
		return value
	default:
		return value
	}
}

// asked is one request of the table.
type asked struct {
	what, method, path, contentType, body string
	code                                  int
	keep                                  string
}

const (
	ofCanaries = "/apis/canaries.flanksource.com/v1/namespaces/here/canaries"
	byFanout   = "?fieldManager=fanout&force=true"
	bySomebody = "?fieldManager=somebody"
	mergePatch = "application/merge-patch+json"
)

// canary is the body of an apply.
func canary(name, more, spec string) string {
	return `{"apiVersion":"canaries.flanksource.com/v1","kind":"Canary","metadata":{"name":"` + name + `","namespace":"here",` + more +
		`"labels":{"app.kubernetes.io/managed-by":"fanout","fanout.flanksource.com/hub":"h"},"annotations":{"fanout.flanksource.com/agent":"a","fanout.flanksource.com/hash":"1"}},"spec":` + spec + `}`
}

const (
	aSpec       = `{"schedule":"@every 30s","http":[{"name":"api","url":"http://api/health","responseCodes":[200]}]}`
	anotherSpec = `{"schedule":"@every 40s","http":[{"name":"api","url":"http://api/health","responseCodes":[200,201]}],"interval":30}`
	never       = `"resourceVersion":"9223372036854775807",`
)

// TestRequests makes the requests that fanout makes, one after the other, of both servers.
func TestRequests(t *testing.T) {
	servers := both(t)
	for _, r := range requests {
		codes, answers, types := []int{}, []any{}, []string{}
		for _, s := range servers {
			response, answer := s.ask(t, r.method, r.path, r.contentType, r.body)
			if r.keep != "" {
				s.keep(r.keep, answer)
			}
			codes, answers, types = append(codes, response.StatusCode), append(answers, comparable(answer)), append(types, response.Header.Get("Content-Type"))
		}
		if codes[0] != r.code {
			t.Errorf("%s: a real API server answers %d, not %d: %v", r.what, codes[0], r.code, answers[0])
		}
		if codes[1] != codes[0] || types[1] != types[0] {
			t.Errorf("%s: a simulated member answers %d %s, a real API server %d %s", r.what, codes[1], types[1], codes[0], types[0])
		}
		if difference := cmp.Diff(answers[0], answers[1]); difference != "" {
			t.Errorf("%s: a simulated member (+) answers otherwise than a real API server (-):\n%s", r.what, difference)
		}
	}
}
