package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"fanout/test/faultproxy"
	"fanout/test/fixture"
)

var canaryWrite = faultproxy.Match{Verb: "patch", Resource: "canaries"}

// registerBehindProxy registers a member with a proxy in front of it.
func (w *world) registerBehindProxy(t *testing.T, agent string) *faultproxy.Proxy {
	t.Helper()
	proxy := faultproxy.Start(t, w.members[agent].Config)
	identity := w.members[agent].LeastRightsToken(t, "member.yaml", w.namespace, time.Hour)
	w.hub.Register(t, w.namespace, agent, fixture.Kubeconfig(t, proxy.Config(identity)))
	return proxy
}

// startFanoutBehindProxy starts fanout with a proxy in front of the hub. It soon misses a connection's other end.
func (w *world) startFanoutBehindProxy(t *testing.T, flags ...string) (*fixture.Fanout, *faultproxy.Proxy) {
	t.Helper()
	proxy := faultproxy.Start(t, w.hub.Config)
	return w.startFanoutAt(t, proxy, flags...), proxy
}

// startFanoutAt does so with a proxy that is there already.
func (w *world) startFanoutAt(t *testing.T, proxy *faultproxy.Proxy, flags ...string) *fixture.Fanout {
	t.Helper()
	identity := w.hub.LeastRightsToken(t, "hub.yaml", w.namespace, time.Hour)
	kubeconfig := fixture.Kubeconfig(t, proxy.Config(identity))
	environment := []string{"HTTP2_READ_IDLE_TIMEOUT_SECONDS=2", "HTTP2_PING_TIMEOUT_SECONDS=1"} // for client-go
	return fixture.StartFanoutIn(t, kubeconfig, environment, append([]string{"--cluster-namespace", w.namespace}, flags...)...)
}

func (w *world) expectState(t *testing.T, controller *fixture.Fanout, state string, want float64) {
	t.Helper()
	fixture.Eventually(t, fmt.Sprintf("%v members are %s", want, state), func() error {
		return fixture.Same("their number", controller.Metric(t, "fanout_members", "state", state), want)
	})
}

// edit changes a parent, so that there is something to write.
func (w *world) edit(t *testing.T, name, schedule string) {
	t.Helper()
	w.hub.Patch(t, w.canaries, name, `{"spec":{"schedule":"`+schedule+`"}}`)
}

// However a member fails, the others get theirs meanwhile, it is known to fail, and it gets its own as soon as it is well.
func TestAMemberThatFails(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		begin  func(*faultproxy.Proxy) (heal func())
		reason string // for which the parent's copy is not as it should be, where that is reported
		state  string // of the member
	}{
		{name: "is slow", begin: func(p *faultproxy.Proxy) func() {
			return p.Slow(30*time.Second, faultproxy.Match{Resource: "canaries"})
		}, reason: "Unavailable"},
		{name: "is down", begin: (*faultproxy.Proxy).Cut, state: "Unreachable"},
		{name: "is a black hole", begin: (*faultproxy.Proxy).Blackhole, state: "Unreachable"},
		{name: "is gone without a word", begin: func(p *faultproxy.Proxy) func() { p.HalfOpen(); return func() {} }},
		{name: "breaks connections", begin: func(p *faultproxy.Proxy) func() { p.Reset(); return func() {} }},
		{name: "has a thin line", begin: func(p *faultproxy.Proxy) func() { return p.Throttle(4 << 10) }},
		{name: "has a full disk", begin: func(p *faultproxy.Proxy) func() { return p.Answer(507, canaryWrite) }, reason: "Unavailable"},
		{name: "has an etcd without a leader", begin: func(p *faultproxy.Proxy) func() { return p.Answer(503, canaryWrite) }, reason: "Unavailable"},
		{name: "has an internal error", begin: func(p *faultproxy.Proxy) func() { return p.Answer(500, canaryWrite) }, reason: "Unavailable"},
		{name: "is busy", begin: func(p *faultproxy.Proxy) func() { return p.Answer(429, canaryWrite) }, reason: "Throttled"},
		{name: "answers nothing but errors", begin: func(p *faultproxy.Proxy) func() { return p.Answer(500, faultproxy.Match{}) }, state: "Unreachable"},
		{name: "takes away rights", begin: func(p *faultproxy.Proxy) func() { return p.Answer(403, canaryWrite) }, reason: "Forbidden"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, "us-east-prod")
			proxy := w.registerBehindProxy(t, "eu-west-prod")
			controller := w.startFanout(t, "--probe-period=300ms", "--probe-timeout=1s", "--request-timeout=1s")
			w.hub.Apply(t, w.canary("api-health", "*"))
			w.hub.Apply(t, w.canary("to-go", "*"))
			w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
			w.expectHolders(t, "to-go", "eu-west-prod", "us-east-prod")

			heal := row.begin(proxy)
			w.edit(t, "api-health", "@every 1m")
			w.hub.Delete(t, w.canaries, "to-go")
			w.expectDerived(t, "us-east-prod", "api-health")
			if row.reason != "" {
				w.expectEvent(t, w.canaries, "api-health", row.reason, `agent "eu-west-prod"`)
			}
			if row.state != "" {
				w.expectState(t, controller, row.state, 1)
			}
			heal()
			w.expectDerived(t, "eu-west-prod", "api-health")
			w.expectHolders(t, "to-go")
			w.expectState(t, controller, "Connected", 2)
		})
	}
}

// A server that says when to come back is not asked before.
func TestRetryAfterIsKept(t *testing.T) {
	w := newWorld(t)
	proxy := w.registerBehindProxy(t, "eu-west-prod")
	var attempts atomic.Int32
	proxy.Observe(func(request *http.Request, _ string) {
		if r := faultproxy.RequestOf(request); r.Verb == "patch" && r.Resource == "canaries" {
			attempts.Add(1)
		}
	})
	w.startFanout(t)
	began := time.Now()
	heal := proxy.Answer(429, canaryWrite)
	w.hub.Apply(t, w.canary("api-health", "*"))
	fixture.Eventually(t, "it was tried again twice", func() error {
		if n := attempts.Load(); n < 3 {
			return fmt.Errorf("it was tried %d times", n)
		}
		return nil
	})
	// The proxy says to come back in a second; more time than that only makes fewer attempts.
	if most := int32(time.Since(began)/time.Second) + 1; attempts.Load() > most {
		t.Errorf("%d attempts in %s", attempts.Load(), time.Since(began))
	}
	heal()
	w.expectHolders(t, "api-health", "eu-west-prod")
}

// What a member does not accept is tried again at the next resync, and only then: nothing that is watched tells when an
// admission webhook has changed its mind.
func TestResyncTriesAgainWhatWasRejected(t *testing.T) {
	w := newWorld(t, "us-east-prod")
	proxy := w.registerBehindProxy(t, "eu-west-prod")
	w.startFanout(t, "--resync-period=2s")
	heal := proxy.Answer(422, canaryWrite)
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectEvent(t, w.canaries, "api-health", "Rejected", `agent "eu-west-prod"`)
	heal()
	w.expectDerived(t, "eu-west-prod", "api-health")
}

// A member that comes and goes many times ends in step, and leaves nothing behind in fanout.
func TestAFlappingMember(t *testing.T) {
	w := newWorld(t, "us-east-prod")
	proxy := w.registerBehindProxy(t, "eu-west-prod")
	controller := w.startFanout(t, "--probe-period=200ms", "--probe-timeout=1s", "--probe-failure-threshold=1")
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")
	settled := func() float64 { return controller.Metric(t, "go_goroutines") }
	before := settled()
	for i := range 12 {
		heal := proxy.Cut()
		w.edit(t, "api-health", fmt.Sprintf("@every %dm", i+1))
		if i%3 == 0 {
			w.expectState(t, controller, "Unreachable", 1)
		}
		heal()
		if i%2 == 0 {
			w.expectDerived(t, "eu-west-prod", "api-health")
		}
	}
	w.expectDerived(t, "eu-west-prod", "api-health")
	w.expectDerived(t, "us-east-prod", "api-health")
	fixture.Eventually(t, "no more goroutines run than before", func() error {
		if now := settled(); now > before+5 { // a scrape and a connection each have some of their own
			return fmt.Errorf("%v do, and %v did", now, before)
		}
		return nil
	})
}

// A member whose server certificate has expired is unreachable, and its owner reads why.
func TestAnExpiredServerCertificate(t *testing.T) {
	w := newWorld(t, "us-east-prod")
	w.hub.Register(t, w.namespace, "expired", expiredMember(t))
	controller := w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*"))
	w.expectHolders(t, "api-health", "us-east-prod")
	w.expectSecretEvent(t, "expired", "Unreachable", "certificate has expired")
	w.expectState(t, controller, "Unreachable", 1)
}

// expiredMember is a server whose certificate is a day too old.
func expiredMember(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "expired"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return fixture.Kubeconfig(t, &rest.Config{Host: server.URL, BearerToken: "t", TLSClientConfig: rest.TLSClientConfig{CAData: ca}})
}

// However the hub fails, the process stays, nothing is pruned, and what changed meanwhile is caught up with.
func TestAHubThatFails(t *testing.T) {
	t.Parallel()
	refusing := func(code int, resource string) func(*faultproxy.Proxy) func() {
		return func(p *faultproxy.Proxy) func() {
			heal := p.Answer(code, faultproxy.Match{Resource: resource})
			p.Reset() // so that what is under way is asked for again
			return heal
		}
	}
	for _, row := range []struct {
		name       string
		begin      func(*faultproxy.Proxy) (heal func())
		losesLease bool
		refuses    bool // what is asked of Canaries
	}{
		{name: "is down", begin: (*faultproxy.Proxy).Cut, losesLease: true},
		{name: "is a black hole", begin: (*faultproxy.Proxy).Blackhole, losesLease: true},
		{name: "is gone without a word", begin: func(p *faultproxy.Proxy) func() { p.HalfOpen(); return func() {} }},
		{name: "breaks connections", begin: func(p *faultproxy.Proxy) func() { p.Reset(); return func() {} }},
		{name: "answers nothing but errors", begin: refusing(500, ""), losesLease: true},
		{name: "is busy", begin: refusing(429, ""), losesLease: true},
		{name: "lists nothing but an error", begin: refusing(503, "canaries"), refuses: true},
		{name: "takes away rights", begin: refusing(403, "canaries"), refuses: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, "eu-west-prod", "us-east-prod")
			controller, proxy := w.startFanoutBehindProxy(t,
				"--leader-elect-lease-duration=3s", "--leader-elect-renew-deadline=2s", "--leader-elect-retry-period=500ms", "--request-timeout=2s")
			w.hub.Apply(t, w.canary("api-health", "*"))
			w.hub.Apply(t, w.canary("to-go", "*"))
			copied := w.expectDerived(t, "eu-west-prod", "api-health")
			w.expectHolders(t, "to-go", "eu-west-prod", "us-east-prod")
			var asked atomic.Int32
			proxy.Observe(func(request *http.Request, _ string) {
				if faultproxy.RequestOf(request).Resource == "canaries" {
					asked.Add(1)
				}
			})

			heal := row.begin(proxy)
			w.edit(t, "api-health", "@every 1m")
			w.hub.Delete(t, w.canaries, "to-go")
			w.hub.Apply(t, w.canary("new", "us-*"))
			if row.losesLease {
				fixture.Eventually(t, "the lease is lost", func() error {
					if !strings.Contains(controller.Log(), "Lost the lease") {
						return errors.New("it is held")
					}
					return nil
				})
			}
			if row.refuses {
				fixture.Eventually(t, "fanout asked again and again", func() error {
					if n := asked.Load(); n < 3 {
						return fmt.Errorf("it asked %d times", n)
					}
					return nil
				})
			}
			if row.losesLease || row.refuses {
				w.expectHolders(t, "to-go", "eu-west-prod", "us-east-prod")
			}
			heal()
			now := w.expectDerived(t, "eu-west-prod", "api-health")
			if now.GetUID() != copied.GetUID() {
				t.Error("the copy was deleted and created again")
			}
			w.expectHolders(t, "to-go")
			w.expectHolders(t, "new", "us-east-prod")
		})
	}
}
