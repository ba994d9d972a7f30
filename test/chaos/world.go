package chaos

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"fanout/test/controlplane"
	"fanout/test/faultproxy"
	"fanout/test/fixture"
)

// members are the clusters besides the hub, each named after the agent that usually leads there.
var members = []string{"eu-prod", "us-prod", "ap-dev"}

// clusterNames are all clusters.
var clusterNames = append([]string{hubCluster}, members...)

// system is the namespace of the Secrets, and of fanout's ServiceAccounts.
const system = "chaos-system"

// world is what all rounds share: the API servers, and the proxies in front of them.
type world struct {
	clusters    map[string]*cluster
	hubID       string
	crd         string
	credentials *credentials
	turns       *turns
	ways        []way // of the replicas to the hub
	rounds      int   // started, repetitions included
}

// cluster is an API server as the harness uses it, directly, and the way on which fanout comes to it.
type cluster struct {
	*fixture.Cluster
	proxy *faultproxy.Proxy
	// identities are fanout's, each with a token of its own, and lead through the proxy.
	identities []*rest.Config
	// writing is held by whoever of the harness writes Canaries here that are not parents, from looking to noting.
	writing sync.Mutex
}

func newWorld(t testing.TB, planes *controlplane.Set, replicas int) *world {
	t.Helper()
	w := &world{clusters: map[string]*cluster{}, crd: fixture.CRD(t), credentials: newCredentials(), turns: newTurns()}
	for _, name := range clusterNames {
		c := &cluster{Cluster: fixture.In(t, planes, name)}
		if err := c.InstallCRD(t.Context(), w.crd); err != nil {
			t.Fatal(err)
		}
		c.proxy = faultproxy.Start(t, c.Config)
		c.proxy.Observe(w.credentials.watch(name))
		c.proxy.Observe(w.turns.watch(name))
		manifest := "member.yaml"
		if name == hubCluster {
			manifest = "hub.yaml"
		}
		for range 3 {
			identity := c.proxy.Config(c.LeastRightsToken(t, manifest, system, 24*time.Hour))
			w.credentials.good(identity.BearerToken, name)
			c.identities = append(c.identities, identity)
		}
		w.clusters[name] = c
	}
	kubeSystem, err := w.hub().Kube.CoreV1().Namespaces().Get(t.Context(), metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.hubID = string(kubeSystem.UID)
	w.ways = w.newWays(t, replicas)
	return w
}

func (w *world) hub() *cluster { return w.clusters[hubCluster] }

// launchOn starts a controller that comes to the hub on that way, and does not wait for it.
func (w *world) launchOn(t testing.TB, to way) *fixture.Fanout {
	t.Helper()
	return fixture.LaunchFanout(t, fixture.Kubeconfig(t, to.identity),
		// How soon a connection that went silent is noticed; both in seconds.
		[]string{"HTTP2_READ_IDLE_TIMEOUT_SECONDS=1", "HTTP2_PING_TIMEOUT_SECONDS=1"},
		append(w.sharing(), "--cluster-namespace="+system, "--leader-elect=false",
			"--probe-period=1s", "--probe-timeout=1s", "--probe-failure-threshold=2", "--request-timeout=2s",
			"--deregister-timeout=10m", "--resync-period=1h", "--orphan-sweep-period=1h")...)
}

// request bounds one request, or a few, of the harness.
func request(t testing.TB) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 20*time.Second)
}

// failure is a violated invariant.
type failure struct {
	invariant string
	cluster   string // empty where it is not of one cluster
	place     place
	text      string
}

func (f *failure) Error() string {
	if f.cluster == "" {
		return fmt.Sprintf("%s: %s", f.invariant, f.text)
	}
	return fmt.Sprintf("%s: %s in %s: %s", f.invariant, f.place, f.cluster, f.text)
}

func isOneOf(all []string, one string) bool { return slices.Contains(all, one) }
