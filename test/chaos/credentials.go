package chaos

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/test/faultproxy"
)

// credentials are all tokens that were ever given to fanout. Each may do what it is good for, and only there; a bad
// one can't have been proven, and so may do nothing but the probe.
type credentials struct {
	mu       sync.Mutex
	home     map[string]string // cluster by token
	bad      map[string]bool
	failures []*failure
}

func newCredentials() *credentials {
	return &credentials{home: map[string]string{}, bad: map[string]bool{}}
}

func (c *credentials) good(token, cluster string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.home[token] = cluster
}

// newBad returns a token that no API server takes.
func (c *credentials) newBad() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	token := fmt.Sprintf("not-a-good-token-%06d", len(c.bad))
	c.bad[token] = true
	return token
}

// watch returns an observer of the requests to cluster.
func (c *credentials) watch(cluster string) func(*http.Request, string) {
	return func(r *http.Request, authorization string) {
		token := strings.TrimPrefix(authorization, "Bearer ")
		request := faultproxy.RequestOf(r)
		isProbe := request.Verb == "get" && request.Resource == "namespaces" && request.Name == metav1.NamespaceSystem
		c.mu.Lock()
		defer c.mu.Unlock()
		what := ""
		switch {
		case c.bad[token] && isProbe, c.home[token] == cluster:
			return
		case c.bad[token]:
			what = "a credential that was never proven"
		case c.home[token] != "":
			what = "a credential for " + c.home[token]
		default:
			what = "an unknown credential"
		}
		c.failures = append(c.failures, &failure{invariant: "credentials", cluster: cluster,
			place: place{request.Namespace, request.Name}, text: fmt.Sprintf("%s %s was sent with %s", request.Verb, request.Path, what)})
	}
}

// violations returns what was seen since the last call.
func (c *credentials) violations() []*failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.failures
	c.failures = nil
	return seen
}

// isIn tells whether any of the tokens stands in text.
func (c *credentials) isIn(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for token := range c.home {
		if strings.Contains(text, token) {
			return true
		}
	}
	return strings.Contains(text, "not-a-good-token-")
}
