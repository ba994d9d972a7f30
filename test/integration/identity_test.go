package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"fanout/pkg/fanout/derive"
	"fanout/test/fixture"
)

// A Secret whose kubeconfig leads to another cluster is another member: it gets all afresh, what this hub once left there
// goes, and what was put into the one before stays there, as its owner is told.
func TestSecretLeadsToAnotherCluster(t *testing.T) {
	w := newWorld(t)
	one, other := w.members["eu-west-prod"], w.members["us-east-prod"]
	w.hub.Register(t, w.namespace, "shop", one.LeastRights(t, "member.yaml", w.namespace))
	w.startFanout(t, "--probe-period=1h") // the change itself is to find it out, before anything is written there
	before := w.fill(t, one, "shop")
	w.leaveStale(t, before[0], other)

	w.hub.Register(t, w.namespace, "shop", other.LeastRights(t, "member.yaml", w.namespace))
	w.expectFilled(t, other, "shop", len(before))
	w.expectSecretEvent(t, "shop", "Replaced", "kubectl delete canaries -A -l fanout.flanksource.com/hub="+before[0].GetLabels()[derive.LabelHub])
	for _, copied := range before {
		expectUnchanged(t, one, copied)
	}
	w.hub.Delete(t, w.canaries, before[0].GetName())
	fixture.Eventually(t, "it goes from the new one", func() error {
		return fixture.Same("their number", len(other.List(t)), len(before)-1)
	})
	expectUnchanged(t, one, before[0])
}

// Another cluster may answer at the same address, with the same credential. Whether the connections break at that moment or
// stay up, nothing that was known of the one before is believed of it.
func TestAnotherClusterAtTheSameAddress(t *testing.T) {
	t.Parallel()
	for _, broken := range []bool{true, false} {
		t.Run(fmt.Sprintf("broken=%t", broken), func(t *testing.T) {
			w := newWorld(t)
			one, other := w.members["eu-west-prod"], w.members["us-east-prod"]
			address := newSwitch(t, w.namespace, one, other)
			w.hub.Register(t, w.namespace, "shop", address.kubeconfig(t))
			w.startFanout(t, "--probe-period=500ms")
			before := w.fill(t, one, "shop")
			w.leaveStale(t, before[0], other)

			address.to.Store(1)
			if broken {
				address.server.CloseClientConnections()
			}
			w.expectFilled(t, other, "shop", len(before))
			w.expectSecretEvent(t, "shop", "Replaced", "kubectl delete canaries")
			for _, copied := range before {
				expectUnchanged(t, one, copied)
			}
		})
	}
}

// fill makes parents and waits for their copies in cluster.
func (w *world) fill(t *testing.T, cluster *fixture.Cluster, agent string) []*unstructured.Unstructured {
	t.Helper()
	const parents = 10
	for i := range parents {
		w.hub.Apply(t, w.canary(fmt.Sprintf("check-%d", i), "*"))
	}
	w.expectFilled(t, cluster, agent, parents)
	var copies []*unstructured.Unstructured
	for i := range parents {
		copies = append(copies, cluster.Get(t, w.canaries, fmt.Sprintf("check-%d", i)))
	}
	return copies
}

// expectFilled waits until cluster holds agent's copies of fill's parents and nothing else.
func (w *world) expectFilled(t *testing.T, cluster *fixture.Cluster, agent string, want int) {
	t.Helper()
	fixture.Eventually(t, fmt.Sprintf("%s holds %s's %d copies", cluster.Name, agent, want), func() error {
		held := cluster.List(t)
		for _, copied := range held {
			parent := w.hub.Get(t, w.canaries, copied.GetName())
			if parent == nil {
				return fmt.Errorf("%s has no parent", copied.GetName())
			}
			if err := fixture.Derived(&copied, parent, agent); err != nil {
				return fmt.Errorf("%s: %w", copied.GetName(), err)
			}
		}
		return fixture.Same("their number", len(held), want)
	})
}

// leaveStale puts into cluster what this hub might have left there in another life: a copy of no parent, and an outdated one
// under a name that has a parent.
func (w *world) leaveStale(t *testing.T, like *unstructured.Unstructured, cluster *fixture.Cluster) {
	t.Helper()
	for _, name := range []string{"stale", like.GetName()} {
		stale := fixture.Canary(w.canaries, name)
		stale.SetLabels(like.GetLabels())
		stale.SetAnnotations(like.GetAnnotations())
		_ = unstructured.SetNestedField(stale.Object, "@every 9h", "spec", "schedule")
		cluster.Apply(t, stale)
	}
}

// clusterSwitch is one address with one credential, behind which one of several clusters answers.
type clusterSwitch struct {
	server *httptest.Server
	to     atomic.Int32
}

func newSwitch(t *testing.T, namespace string, clusters ...*fixture.Cluster) *clusterSwitch {
	t.Helper()
	s := &clusterSwitch{}
	var ways []*httputil.ReverseProxy
	for _, cluster := range clusters {
		config, err := clientcmd.RESTConfigFromKubeConfig(cluster.LeastRights(t, "member.yaml", namespace))
		if err != nil {
			t.Fatal(err)
		}
		transport, err := rest.TransportFor(config)
		if err != nil {
			t.Fatal(err)
		}
		target, err := url.Parse(config.Host)
		if err != nil {
			t.Fatal(err)
		}
		ways = append(ways, &httputil.ReverseProxy{
			Transport: transport, FlushInterval: -1,
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				r.Out.Header.Del("Authorization") // the cluster's own credential is the transport's
			},
		})
	}
	s.server = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ways[s.to.Load()].ServeHTTP(rw, r)
	}))
	t.Cleanup(func() {
		s.server.CloseClientConnections()
		s.server.Close()
	})
	return s
}

func (s *clusterSwitch) kubeconfig(t *testing.T) []byte {
	return fixture.Kubeconfig(t, &rest.Config{
		Host: s.server.URL, BearerToken: "the-same-before-and-after", TLSClientConfig: rest.TLSClientConfig{CAData: pemOf(s.server)},
	})
}
