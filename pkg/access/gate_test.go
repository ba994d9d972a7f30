package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanout/pkg/api"
)

var everybody = map[string][]string{"admin": {""}, "payer": {"payments"}, "seller": {"orders", "shop"}, "cousin": {"elsewhere"}, "nobody": nil}

func TestWhoSeesWhat(t *testing.T) {
	g := newGate(canaries{"orders", "payments", "shop"}, everybody)
	defer g.Close()
	g.expect(t, "admin", 200, "orders/one orders/two payments/one payments/two shop/one shop/two <nil>")
	g.expect(t, "payer", 200, "payments/one payments/two <nil>")
	g.expect(t, "seller", 200, "orders/one orders/two shop/one shop/two <nil>")
	for _, user := range []string{"nobody", "cousin"} {
		g.expect(t, user, 403, fmt.Sprintf("%q may get canaries.canaries.flanksource.com in no namespace", user))
	}
	g.expect(t, "stranger", 401, "it is not known who you are")
	for _, authorization := range []string{"", "Bearer", "Bearer ", "Basic YWRtaW46", "token-of-admin", "Negotiate token-of-admin", "Bearer token-of-admin x"} {
		w := g.ask(t.Context(), "/", authorization)
		if w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%q is answered %d: %v", authorization, w.Code, w.Header())
		}
	}
	var problem api.Problem
	if w := g.ask(t.Context(), "/api/v1/agents", "bearer wrong"); w.Code != 401 || json.Unmarshal(w.Body.Bytes(), &problem) != nil || problem.Error == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w := g.ask(t.Context(), "/", "bEARER token-of-payer")
	if w.Code != 200 || w.Header().Get("Cross-Origin-Resource-Policy") != "same-origin" || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d: %v", w.Code, w.Header())
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("a body"))
	r.Header.Set("Authorization", "Bearer token-of-admin")
	w = httptest.NewRecorder()
	if g.ServeHTTP(w, r); w.Code != 400 {
		t.Errorf("a body is answered %d", w.Code)
	}
}

// What the hub can't be asked is not allowed, and is asked again.
func TestTheHubDoesNotAnswer(t *testing.T) {
	g := newGate(canaries{"payments", "shop"}, everybody)
	defer g.Close()
	g.hub.set(func() { g.hub.err = errors.New("etcd is away") })
	g.expect(t, "payer", 503, "could not be asked who you are")
	g.hub.set(func() { g.hub.err = nil })
	g.expect(t, "payer", 200, "payments/one")
	g.hub.set(func() { g.hub.err = errors.New("etcd is away") })
	g.expect(t, "payer", 200, "payments/one") // as it said before

	g = newGate(canaries{}, everybody)
	defer g.Close()
	g.expect(t, "payer", 503, "this process stands by")
	g.expect(t, "admin", 200, "this process stands by") // the page itself says so
}

// What the hub said holds for a while and no longer, also for a page that is open.
func TestARightThatIsTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rights := map[string][]string{"payer": {"payments"}, "admin": {""}}
		g := newGate(canaries{"payments", "shop"}, rights)
		defer g.Close()
		for range 5 {
			g.expect(t, "payer", 200, "payments/one")
		}
		if tokens, reviews := g.hub.counted(); tokens != 1 || reviews != 3 {
			t.Errorf("the hub was asked %d times about the token and %d times about rights", tokens, reviews)
		}
		open := make(chan time.Duration)
		began := time.Now()
		go func() {
			g.ask(t.Context(), "/events/", "Bearer token-of-payer")
			open <- time.Since(began)
		}()
		synctest.Wait()
		g.hub.set(func() { rights["payer"] = nil })
		time.Sleep(rightsTime + time.Second)
		g.expect(t, "payer", 403, "no namespace")
		if lasted := <-open; lasted != holds {
			t.Errorf("the open page lasted %s", lasted)
		}
		g.expect(t, "admin", 200, "shop/one")
		g.hub.set(func() { delete(rights, "admin") })
		time.Sleep(tokenTime + time.Second)
		g.expect(t, "admin", 401, "it is not known who you are")
	})
}

func TestNamespacesThatComeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := canaries{"payments"}
		g := newGate(&source, everybody)
		defer g.Close()
		g.expect(t, "seller", 403, "no namespace")
		source = append(source, "shop")
		time.Sleep(rightsTime + time.Second)
		g.expect(t, "seller", 200, "shop/one")
	})
}

func TestTooManyAtOnce(t *testing.T) {
	g := newGate(canaries{"payments"}, everybody)
	defer g.Close()
	g.open.Store(maxOpen)
	g.expect(t, "admin", 503, "too many requests")
	g.open.Store(maxOpen - 1)
	g.expect(t, "admin", 200, "payments/one")
}
