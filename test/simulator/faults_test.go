package simulator

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"fanout/test/fixture"
)

// startControlled returns two simulated members, and what controls them.
func startControlled(t *testing.T, statuses ...string) ([]*server, *Client) {
	t.Helper()
	s, err := Start(Options{Members: 2, CRD: fixture.CRD(t), Statuses: statuses})
	if err != nil {
		t.Fatal(err)
	}
	control := httptest.NewServer(s.control())
	t.Cleanup(func() {
		control.Close()
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	client := NewClient(strings.TrimPrefix(control.URL, "http://"))
	sites, err := client.Sites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var servers []*server
	for _, site := range sites {
		config, err := clientcmd.RESTConfigFromKubeConfig(site.Kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, newServer(t, site.Name, config))
	}
	return servers, client
}

// probe asks a member who it is.
func (s *server) probe(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/api/v1/namespaces/kube-system", nil)
	if err != nil {
		return err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func TestDeadAndRevived(t *testing.T) {
	members, control := startControlled(t)
	if err := members[0].probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := control.Behave(t.Context(), Behaviour{From: 0, To: 1, Dead: true}); err != nil {
		t.Fatal(err)
	}
	fixture.Eventually(t, "connections are refused", func() error {
		if err := members[0].probe(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
			return errors.Join(errors.New("not refused"), err)
		}
		return nil
	})
	if err := members[1].probe(t.Context()); err != nil {
		t.Errorf("the other member: %v", err)
	}
	if err := control.Behave(t.Context(), Behaviour{From: 0, To: 1}); err != nil {
		t.Fatal(err)
	}
	if err := members[0].probe(t.Context()); err != nil {
		t.Errorf("revived: %v", err)
	}
}

func TestBlackhole(t *testing.T) {
	members, control := startControlled(t)
	if err := members[0].probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := control.Behave(t.Context(), Behaviour{From: 0, To: 1, Blackhole: true}); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"over the connection that there is", "over a new one"} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		if err := members[0].probe(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", how, err)
		}
		cancel()
		members[0] = newServer(t, "again", members[0].config)
	}
	if err := control.Behave(t.Context(), Behaviour{From: 0, To: 1}); err != nil {
		t.Fatal(err)
	}
	if err := members[0].probe(t.Context()); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestLatency(t *testing.T) {
	members, control := startControlled(t)
	const late = 300 * time.Millisecond
	if err := control.Behave(t.Context(), Behaviour{From: 0, To: 1, Latency: late}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := members[0].probe(t.Context()); err != nil || time.Since(began) < late {
		t.Errorf("an answer after %s: %v", time.Since(began), err)
	}
}

// TestStorm has statuses written, and counts what comes of it.
func TestStorm(t *testing.T) {
	members, control := startControlled(t, fixture.Recorded(t, "http-pass.json"), fixture.Recorded(t, "two-checks.json"))
	for _, m := range members {
		m.ask(t, "POST", "/api/v1/namespaces?fieldManager=fanout", "application/json", `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"here"}}`)
	}
	if err := control.Expect(t.Context(), "@every 30s", 2); err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		m.ask(t, "PATCH", ofCanaries+"/first"+byFanout, applyType, canary("first", never, aSpec))
	}
	if arrived, err := control.Arrived(t.Context(), "@every 30s"); err != nil || len(arrived) != 2 {
		t.Fatalf("there arrived %v: %v", arrived, err)
	}
	if err := control.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, taken := members[0].ask(t, "GET", ofCanaries+"/first", "", "")
	metadata, spec := taken["metadata"].(map[string]any), taken["spec"].(map[string]any)
	if _, added := spec["http"].([]any)[0].(map[string]any)["display"]; !added || metadata["finalizers"] == nil || len(metadata["managedFields"].([]any)) != 2 {
		t.Errorf("canary-checker took in %v", taken)
	}
	opened := members[0].watch(t, watched+"&resourceVersion=0")
	if err := control.Storm(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	last := map[string]any{}
	for range 3 {
		last = <-opened.lines
	}
	o := last["object"].(map[string]any)
	managed := o["metadata"].(map[string]any)["managedFields"].([]any)
	if status := o["status"].(map[string]any); status["lastCheck"] == "" || status["status"] == nil || len(managed) != 3 {
		t.Errorf("a storm brings %v", last)
	}
	if err := control.Storm(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	counts, err := control.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if counts.Statuses < 2 || counts.WatchEvents < 3 || counts.WatchBytes < 3000 || counts.Writes["canaries"] != 2 || counts.Writes["namespaces"] != 2 ||
		counts.Requests["apply canaries"] != 2 || counts.Canaries != 2 {
		t.Errorf("counted %+v", counts)
	}
}
