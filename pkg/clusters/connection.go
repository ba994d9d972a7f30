package clusters

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/connrotation"

	"fanout/pkg/clusters/kubeconfig"
	"fanout/pkg/shard"
)

// connection is one way into a member: a server with a credential.
type connection struct {
	hash      string // of the kubeconfig
	base      *url.URL
	dialer    *connrotation.Dialer
	transport http.RoundTripper // authenticates
}

// answerTimeout is how long a server may take to begin an answer: watches have no deadline of their own.
const answerTimeout = 30 * time.Second

// headerTable is how much of a server's headers is remembered for the next answer. Each answer has an ID and a time of its own, which
// would fill the usual 4 KiB, and twice as much in maps, for each member.
const headerTable = 512

// newConnection prepares a connection; it does no I/O. Each has a transport of its own, so that closing it
// leaves nothing behind, and no proxy: the environment's proxies are the hub's business. What it dials is behind the fence.
func newConnection(config *kubeconfig.Config, userAgent string, fence func(shard.Dial) shard.Dial) (*connection, error) {
	rested := config.REST()
	rested.UserAgent = userAgent
	base, err := url.Parse(rested.Host)
	if err != nil {
		return nil, errors.New("the server's address is no URL")
	}
	tlsConfig, err := rest.TLSConfigFor(rested)
	if err != nil {
		return nil, errors.New("the certificates can't be used for TLS")
	}
	dialer := connrotation.NewDialer(connrotation.DialFunc(fence((&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext)))
	transport := utilnet.SetTransportDefaults(&http.Transport{
		Proxy:                  func(*http.Request) (*url.URL, error) { return nil, nil },
		DialContext:            dialer.DialContext,
		IdleConnTimeout:        5 * time.Second, // how long a retired connection outlives what ran over it
		TLSHandshakeTimeout:    10 * time.Second,
		TLSClientConfig:        tlsConfig,
		ResponseHeaderTimeout:  answerTimeout,
		MaxResponseHeaderBytes: 64 << 10,
		HTTP2:                  &http.HTTP2Config{MaxDecoderHeaderTableSize: headerTable},
	})
	authenticated, err := rest.HTTPWrappersForConfig(rested, transport)
	if err != nil {
		return nil, errors.New("the credential can't be used")
	}
	return &connection{hash: config.Hash(), base: base, dialer: dialer, transport: bounded{authenticated}}, nil
}

// close ends whatever still runs over c.
func (c *connection) close() {
	c.retire()
	c.dialer.CloseAll()
}

// retire lets what runs over c come to its end: what is idle is closed now, the rest when it has become so.
func (c *connection) retire() { utilnet.CloseIdleConnectionsFor(c.transport) }

// line is a client's transport that goes over the connection that is current. A swap breaks nothing: what runs
// goes on over the connection it began on, and what begins takes the new one.
type line struct {
	current atomic.Pointer[connection]
}

// RoundTrip sends req to the current connection's server, whatever host it names.
func (l *line) RoundTrip(req *http.Request) (*http.Response, error) {
	c := l.current.Load()
	req = req.WithContext(req.Context()) // a shallow copy: a RoundTripper may not change the request
	target := *req.URL
	target.Scheme, target.Host = c.base.Scheme, c.base.Host
	target.Path = strings.TrimSuffix(c.base.Path, "/") + target.Path
	req.URL, req.Host = &target, ""
	return c.transport.RoundTrip(req)
}

// server is the address of the current connection's server.
func (l *line) server() string { return l.current.Load().base.String() }

// swap makes next the current connection.
func (l *line) swap(next *connection) {
	if last := l.current.Swap(next); last != nil {
		last.retire()
	}
}

// newClient returns a client over line. Its errors name the agent where they would name the server.
func newClient(agent string, line *line) (rest.Interface, error) {
	return RESTFor(
		// The handler bounds what is in flight. What a member warns of is its words, and goes nowhere.
		&rest.Config{Host: "https://" + agent, QPS: -1, WarningHandlerWithContext: rest.NoWarnings{}},
		&http.Client{Transport: line, CheckRedirect: refuseRedirect},
	)
}

// RESTFor returns what a dynamic client of that configuration is made of.
func RESTFor(config *rest.Config, client *http.Client) (rest.Interface, error) {
	config = dynamic.ConfigFor(config)
	config.APIPath = "/"
	return rest.UnversionedRESTClientForConfigAndClient(config, client)
}

// refuseRedirect keeps a member from sending the hub's requests, and its credential, somewhere else.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// probe asks the member behind client, at that server, who it is. One request proves that the server is there, that it is
// a Kubernetes API, that it takes the credential, and which cluster it is.
func probe(ctx context.Context, client rest.Interface, server string, timeout time.Duration) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer := client.Get().AbsPath("api", "v1", "namespaces", metav1.NamespaceSystem).Do(ctx)
	err = answer.Error()
	text, _ := answer.Raw()
	found := gjson.GetManyBytes(text, "kind", "metadata.uid") // decoding it would be a fifth of what an idle member costs
	kind, id := found[0].Str, found[1].Str
	switch {
	case apierrors.IsUnauthorized(err):
		return "", fmt.Errorf("%w: the server answers 401: put a valid credential into the Secret", errUnauthorized)
	case apierrors.IsForbidden(err):
		return "", fmt.Errorf("%w: the credential may not get the namespace kube-system: grant it the member's ClusterRole", errForbidden)
	case isOutage(err):
		return "", unreachable(server, timeout, err)
	case err != nil, !gjson.ValidBytes(text), kind != "Namespace", id == "":
		// What it did answer may be anything, and is not repeated.
		return "", fmt.Errorf("%w: %s answers, but not as a Kubernetes API: put the address of the member's API server into the Secret", errUnreachable, server)
	}
	return id, nil
}

// isOutage tells a server that does not answer, or answers that it can't just now, from one that answers something
// else than a Kubernetes API does.
func isOutage(err error) bool {
	var network *url.Error
	var status apierrors.APIStatus
	return errors.As(err, &network) ||
		errors.As(err, &status) && !apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}
