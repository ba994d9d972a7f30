package main

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fanout/pkg/api"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares what was printed with a file, or writes it.
func golden(t *testing.T, name, printed string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(printed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; to write it: go test ./cmd/fanout -update", err)
	}
	if printed != string(want) {
		t.Errorf("got\n%s\nwant, by %s (to write it anew: go test ./cmd/fanout -update)\n%s", printed, path, want)
	}
}

// now is when canned answers were given.
var now = time.Date(2026, 11, 24, 12, 33, 0, 0, time.UTC)

func ago(d time.Duration) *time.Time { at := now.Add(-d); return &at }

func number(n uint32) *uint32 { return &n }

// hostile is what a member may write where a text stands.
const hostile = "\x1b[2J\x1b]0;owned\x07re\u202eversed\u0085 <b>\n\tand more"

// canned is a controller's knowledge of a small fleet.
type canned struct {
	agents   api.Agents
	canaries api.Canaries
	copies   map[string][]api.Copy // of each namespace/name
	found    map[string]api.Found  // in each agent/namespace/name
}

func aFleet() *canned {
	teller := api.Teller{Version: "v1.0.0", Hub: "7d3f-hub", Time: now}
	c := &canned{copies: map[string][]api.Copy{}, found: map[string]api.Found{}}
	c.agents = api.Agents{Teller: teller, Items: []api.Agent{
		{Name: "ap-south-dev", Secret: "ap-south-dev", State: "Unreachable", Since: *ago(42 * time.Minute), Detail: "https://10.0.3.1:6443: connection refused", Labels: map[string]string{"tier": "dev"}, ServerVersion: "v1.34.2", Selected: 1},
		{Name: "eu-west-prod", Secret: "eu-west-prod", State: "Connected", Since: *ago(26 * time.Hour), Labels: map[string]string{"region": "eu", "tier": "prod"}, ServerVersion: "v1.35.0", CredentialExpires: ago(-89 * 24 * time.Hour), Selected: 2, InSync: 1, OutOfSync: 1, Failing: 1},
		{Name: "local", State: "Connected", Since: *ago(26 * time.Hour), ServerVersion: "v1.35.0"},
		{Name: "us-east-prod", Secret: "us-east-prod", State: "Connected", Since: *ago(26 * time.Hour), Labels: map[string]string{"region": "us", "tier": "prod"}, Namespaces: []string{"payments", "team-*"}, ServerVersion: "v1.35.0", CredentialExpires: ago(2 * time.Hour), Selected: 1, InSync: 1},
	}}
	c.canaries = api.Canaries{Teller: teller, Items: []api.Canary{
		{Namespace: "payments", Name: "api-health", Generation: 3, Selector: []string{"*-prod", "tier=dev", "!*-test"}, Schedule: "@every 30s", State: "Failed",
			Message: "3 agents: 1 passed, 1 failed, 1 unreachable; 2 in sync", LastCheck: ago(5 * time.Second), LastTransition: ago(110 * time.Second),
			Uptime: "30/36 (83.3%)", Latency: "12ms", Agents: 3, States: map[string]int{"Passed": 1, "Failed": 1, "Unreachable": 1}, InSync: 2},
		{Namespace: "payments", Name: "broken", Generation: 1, Selector: []string{"{eu"}, Schedule: "@every 1m", Fault: `agentSelector[0] "{eu": position 0: unclosed {`, State: "Invalid", Message: "agentSelector is not valid, so the copies stay as they are; 0 agents"},
		{Namespace: "shop", Name: "checkout", Generation: 1, Selector: []string{"eu-*"}, Schedule: "@every 1m", State: "Missing", Message: "1 agent: 1 missing; 0 in sync, 1 out of sync",
			Agents: 1, States: map[string]int{"Missing": 1}, OutOfSync: 1},
	}}
	c.copies["payments/api-health"] = []api.Copy{
		{Agent: "ap-south-dev", Namespace: "payments", Name: "api-health", SelectedBy: "tier=dev", State: "Unreachable", Before: "Passed", Away: &api.Condition{Reason: "Unreachable", Detail: "https://10.0.3.1:6443: connection refused", Since: ago(42 * time.Minute)},
			LastCheck: ago(43 * time.Minute), LastTransition: ago(3 * time.Hour), Heard: ago(43 * time.Minute), Uptime: "12/12 (100.0%)", Latency: "7ms", Passed: number(12), Runs: number(12), LatencyMillis: number(7)},
		{Agent: "eu-west-prod", Namespace: "payments", Name: "api-health", SelectedBy: "*-prod", State: "Failed", Error: "expected 500 to be in [200] " + hostile, InSync: true,
			LastCheck: ago(20 * time.Second), LastTransition: ago(110 * time.Second), Heard: ago(19 * time.Second), Uptime: "6/12 (50.0%)", Latency: "12ms", Passed: number(6), Runs: number(12), LatencyMillis: number(12)},
		{Agent: "us-east-prod", Namespace: "payments", Name: "api-health", SelectedBy: "*-prod", State: "Passed", InSync: true,
			LastCheck: ago(5 * time.Second), LastTransition: ago(26 * time.Hour), Heard: ago(4 * time.Second), Uptime: "12/12 (100.0%)", Latency: "9ms", Passed: number(12), Runs: number(12), LatencyMillis: number(9)},
	}
	c.copies["shop/checkout"] = []api.Copy{
		{Agent: "eu-west-prod", Namespace: "shop", Name: "checkout", SelectedBy: "eu-*", State: "Missing", OutOfSync: &api.Condition{Reason: "Conflict", Detail: "Canary shop/checkout exists in the member and was not created by fanout; it stays as it is", Since: ago(time.Hour)}},
	}
	for _, agent := range []string{"eu-west-prod", "us-east-prod"} {
		c.found[agent+"/payments/api-health"] = api.Found{Exists: true, Owner: c.agents.Teller.Hub}
	}
	// A copy as fanout wrote it and canary-checker wrote it back, with a label of somebody else's.
	c.found["eu-west-prod/payments/api-health"] = api.Found{Exists: true, Owner: c.agents.Teller.Hub, Canary: map[string]any{
		"apiVersion": "canaries.flanksource.com/v1", "kind": "Canary",
		"metadata": map[string]any{
			"namespace": "payments", "name": "api-health", "uid": "0815",
			"labels": map[string]any{"app.kubernetes.io/managed-by": "fanout", "fanout.flanksource.com/hub": c.agents.Teller.Hub, "team": "payments", "seen": "by somebody"},
			"annotations": map[string]any{
				"fanout.flanksource.com/parent": "payments/api-health", "fanout.flanksource.com/agent": "eu-west-prod", "fanout.flanksource.com/hash": "0",
				"fanout.flanksource.com/fields": "http,icon,schedule", "fanout.flanksource.com/parent-generation": "3", "fanout.flanksource.com/parent-uid": "4711",
			},
		},
		"spec": map[string]any{
			"schedule": "@every 30s", "icon": "heart", "owner": "somebody else's",
			"http": []any{map[string]any{"name": "api", "url": "http://api.default.svc:8080/health" + hostile, "display": map[string]any{}, "test": map[string]any{}}},
		},
	}}
	c.found["ap-south-dev/payments/api-health"] = api.Found{}
	c.found["eu-west-prod/shop/checkout"] = api.Found{Exists: true}
	return c
}

var _ api.Source = (*canned)(nil)

func (c *canned) Agents(context.Context, ...string) (api.Agents, error) { return c.agents, nil }

func (c *canned) Canaries(_ context.Context, namespace string) (api.Canaries, error) {
	all := c.canaries
	all.Items = []api.Canary{}
	for _, canary := range c.canaries.Items {
		if namespace == "" || namespace == canary.Namespace {
			all.Items = append(all.Items, canary)
		}
	}
	return all, nil
}

func (c *canned) Canary(_ context.Context, namespace, name string) (api.OneCanary, error) {
	for _, canary := range c.canaries.Items {
		if canary.Namespace == namespace && canary.Name == name {
			canary.Copies = c.copies[namespace+"/"+name]
			return api.OneCanary{Teller: c.canaries.Teller, Canary: canary}, nil
		}
	}
	return api.OneCanary{}, fmt.Errorf("%w: no Canary %s/%s has an agentSelector", api.ErrNotFound, namespace, name)
}

func (c *canned) Find(_ context.Context, agent, namespace, name string) (api.OneFound, error) {
	return api.OneFound{Teller: c.agents.Teller, Found: c.found[agent+"/"+namespace+"/"+name]}, nil
}

func (c *canned) Changed() <-chan struct{} { return nil }

// serve answers as a controller does, and returns the address.
func (c *canned) serve(t *testing.T) string {
	t.Helper()
	return serveSource(t, c)
}

func serveSource(t *testing.T, source api.Source) string {
	t.Helper()
	server := httptest.NewServer(api.NewHandler(source))
	t.Cleanup(server.Close)
	return server.URL
}
