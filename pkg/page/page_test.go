package page

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/utils/clock"

	"fanout/pkg/api"
	"fanout/pkg/page/pagetest"
)

var paths = []string{"/", "/?by=region&columns=groups", "/canaries/search/dns", "/agents/us-west-prod-1", "/assets/page.css", "/assets/page.js", "/nowhere"}

func TestEveryAnswerIsFenced(t *testing.T) {
	p := New(sample(24, 10), clock.RealClock{})
	defer p.Close()
	for _, path := range paths {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost:8082"+path, nil))
		want := http.StatusOK
		if path == "/nowhere" {
			want = http.StatusNotFound
		}
		if w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
		for name, value := range map[string]string{
			"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := w.Header().Get(name); got != value {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
		// What the policy forbids would not work, so it must not be there.
		if strings.HasPrefix(path, "/assets/") {
			continue
		}
		for _, inline := range []string{" style=", " onclick=", "javascript:", "<style", "http://", "https://"} {
			if strings.Contains(w.Body.String(), inline) {
				t.Errorf("%s has %q in it", path, inline)
			}
		}
	}
}

func TestNothingCanBeChanged(t *testing.T) {
	p := New(sample(3, 2), clock.RealClock{})
	defer p.Close()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "PROPFIND"} {
		for _, path := range append(paths, "/events/") {
			w := httptest.NewRecorder()
			p.ServeHTTP(w, httptest.NewRequest(method, "http://localhost"+path, nil))
			if w.Code != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", method, path, w.Code)
			}
		}
	}
}

func TestAskedForByThisHostsNamesAlone(t *testing.T) {
	p := New(sample(3, 2), clock.RealClock{})
	defer p.Close()
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8082": 200, "LOCALHOST:1": 200, "127.0.0.1:8082": 200, "127.0.0.1": 200, "[::1]:8082": 200, "[::1]": 200, "127.8.9.1": 200,
		"evil.example": 421, "evil.example:8082": 421, "localhost.evil.example": 421, "localhost:8082.evil.example": 421, "127.0.0.1.evil.example": 421,
		"fanout": 421, "10.0.0.1:8082": 421, "[2001:db8::1]:8082": 421, "0.0.0.0": 421, "": 421,
	} {
		for _, path := range []string{"/", "/assets/page.js"} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil)
			r.Host = host
			p.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s of host %q: %d", path, host, w.Code)
			}
		}
		r := httptest.NewRequest(http.MethodGet, "http://localhost/events/", nil)
		r.Host = host
		ctx, cancel := context.WithCancel(r.Context())
		cancel() // a stream would go on
		w := httptest.NewRecorder()
		if p.ServeHTTP(w, r.WithContext(ctx)); want != http.StatusOK && w.Code != want {
			t.Errorf("the stream of host %q: %d", host, w.Code)
		}
	}
}

func TestWhoHasBeenAskedMayAskByAnyName(t *testing.T) {
	p := New(sample(3, 2), clock.RealClock{})
	defer p.Close()
	for _, host := range []string{"fanout.example.com", "10.0.0.1:8443", "localhost"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
		r.Host = host
		if p.Anywhere().ServeHTTP(w, r); w.Code != http.StatusOK || w.Header().Get("Content-Security-Policy") != policy {
			t.Errorf("%s: %d, %v", host, w.Code, w.Header())
		}
	}
}

// Who may not see all is told so, and of an agent what he is to know.
func TestOfSomeNamespacesAlone(t *testing.T) {
	source := sample(24, 10)
	source.AddAgent(api.Agent{Name: "argocd-1", Secret: "cluster-10.0.0.1", Namespaces: []string{"hidden-*"}, Detail: "https://10.0.0.1: refused", State: "Refused"})
	_, address := serve(t, api.Only(source, "search"))
	_, body := get(t, address)
	shows(t, body, "search/</i>", "namespace search, which is all that you may see")
	_, agent := get(t, address+"/agents/argocd-1")
	shows(t, agent, "Refused")
	for _, hidden := range []string{"checkout", "10.0.0.1", "hidden-", "Registered by", "Credential ends", "<dt>Namespaces"} {
		if strings.Contains(body+agent, hidden) {
			t.Errorf("it shows %q", hidden)
		}
	}
	if code, _ := get(t, address+"/canaries/checkout/api"); code != http.StatusNotFound {
		t.Errorf("a Canary elsewhere: %d", code)
	}
}

func TestThingsInWords(t *testing.T) {
	for want, names := range map[string][]string{
		"": nil, "replica a": {"a"}, "replicas a and b": {"a", "b"}, "replicas a, b and c": {"a", "b", "c"},
		"replicas 1, 2, 3, 4, 5, 6, 7, 8 and 2 more": strings.Split("1 2 3 4 5 6 7 8 9 10", " "),
	} {
		if got := wordsOf("replica", names); got != want {
			t.Errorf("%q are %q, not %q", names, got, want)
		}
	}
}

// quiet is a Source of which a replica did not answer.
type quiet struct{ *pagetest.Sample }

func (q quiet) Agents(ctx context.Context, namespaces ...string) (api.Agents, error) {
	answer, err := q.Sample.Agents(ctx, namespaces...)
	answer.Teller.Silent = []string{"fanout-1f2e<b>", "fanout-2"}
	return answer, err
}

func TestSaysWhoDidNotAnswer(t *testing.T) {
	_, address := serve(t, quiet{sample(24, 10)})
	for _, path := range []string{"/", "/agents/us-west-prod-1"} {
		_, body := get(t, address+path)
		shows(t, body, "replicas fanout-1f2e&lt;b&gt; and fanout-2 did not answer")
	}
}

func TestWhoeverStandsBySaysWhoLeads(t *testing.T) {
	source := sample(3, 2)
	source.SetError(fmt.Errorf("%w: this process stands by; ask the one that holds the Lease fanout-system/fanout, which is fanout-7d9c", api.ErrNotKnown))
	_, address := serve(t, source)
	code, body := get(t, address)
	if code != http.StatusServiceUnavailable {
		t.Errorf("%d", code)
	}
	shows(t, body, "this process stands by", "which is fanout-7d9c")
	source.SetError(nil)
	if code, body = get(t, address); code != http.StatusOK {
		// It was asked within the same moment.
		stream := open(t, address+"/events/?has=x")
		stream.until(t, "the matrix", func(e event) bool { return strings.Contains(e.data, `class="matrix`) })
	} else {
		shows(t, body, `class="matrix`)
	}
}

func TestNoSuchThing(t *testing.T) {
	_, address := serve(t, sample(3, 2))
	for path, text := range map[string]string{
		"/canaries/search/nothing": "no Canary search/nothing", "/agents/nobody": "no agent", "/canaries/search": "no such page", "/%2e%2e/": "no such page",
	} {
		code, body := get(t, address+path)
		if code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
		shows(t, body, text)
	}
}

// A first view is there soon, whatever is in it.
func TestFirstViewIsSmall(t *testing.T) {
	const limit = 300_000
	for name, source := range map[string]api.Source{"usual names": sample(1000, 100), "the longest names": longNames(1000, 100)} {
		_, address := serve(t, source)
		for _, path := range []string{"/", "/?by=region", "/?by=tier&columns=groups", "/?state=trouble"} {
			code, body := get(t, address+path)
			if code != http.StatusOK || len(body) > limit {
				t.Errorf("%s, %s: %d, %d bytes", name, path, code, len(body))
			}
			t.Logf("%s, %s: %d bytes", name, path, len(body))
		}
	}
}
