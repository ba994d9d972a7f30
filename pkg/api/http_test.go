package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told is a Source that answers with what it was asked for, or with an error.
type told struct{ err error }

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func (s told) Agents(_ context.Context, namespaces ...string) (Agents, error) {
	return Agents{Teller: Teller{Version: "v1", Time: noon}, Items: []Agent{{Name: "eu-west-prod", Namespaces: namespaces, CredentialExpires: &noon, Labels: map[string]string{"tier": "prod"}}}}, s.err
}

func (s told) Canaries(_ context.Context, namespace string) (Canaries, error) {
	return Canaries{Items: []Canary{{Namespace: namespace, States: map[string]int{"Passed": 1}}}}, s.err
}

func (s told) Canary(_ context.Context, namespace, name string) (OneCanary, error) {
	runs := uint32(12)
	return OneCanary{Canary: Canary{Namespace: namespace, Name: name, Copies: []Copy{{Runs: &runs, Away: &Condition{Reason: "Unreachable", Since: &noon}}}}}, s.err
}

func (s told) Find(_ context.Context, agent, namespace, name string) (OneFound, error) {
	return OneFound{Found: Found{Exists: true, Owner: agent, Canary: map[string]any{"metadata": map[string]any{"namespace": namespace, "name": name}}}}, s.err
}

func (told) Changed() <-chan struct{} { return nil }

func served(t *testing.T, source Source) *httptest.Server {
	server := httptest.NewServer(NewHandler(source))
	t.Cleanup(server.Close)
	return server
}

// A client says what its source does.
func TestClientSaysWhatTheSourceDoes(t *testing.T) {
	source := told{}
	client := NewClient(http.DefaultClient, served(t, source).URL+"/")
	same := func(got any, err error, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	ctx := t.Context()
	for _, namespaces := range [][]string{nil, {"payments"}, {"payments", "a b/c?d=e"}} {
		agents, err := client.Agents(ctx, namespaces...)
		want, _ := source.Agents(ctx, namespaces...)
		same(agents, err, want)
	}
	for _, namespace := range []string{"", "payments", "a b/c?d=e"} {
		canaries, err := client.Canaries(ctx, namespace)
		want, _ := source.Canaries(ctx, namespace)
		same(canaries, err, want)
	}
	one, err := client.Canary(ctx, "payments", "api/health")
	wantOne, _ := source.Canary(ctx, "payments", "api/health")
	same(one, err, wantOne)
	found, err := client.Find(ctx, "eu-west", "payments", "100%")
	wantFound, _ := source.Find(ctx, "eu-west", "payments", "100%")
	same(found, err, wantFound)
}

func TestErrorsComeThrough(t *testing.T) {
	for _, row := range []struct {
		err  error
		code int
	}{
		{fmt.Errorf("%w: there is no agent", ErrNotFound), http.StatusNotFound},
		{fmt.Errorf("%w: fanout-1 leads", ErrNotKnown), http.StatusServiceUnavailable},
		{errors.New("broken"), http.StatusInternalServerError},
	} {
		server := served(t, told{row.err})
		_, err := NewClient(http.DefaultClient, server.URL).Agents(t.Context())
		if err == nil || err.Error() != row.err.Error() {
			t.Errorf("%v, want %v", err, row.err)
		}
		for _, kind := range []error{ErrNotFound, ErrNotKnown} {
			if errors.Is(err, kind) != errors.Is(row.err, kind) {
				t.Errorf("%v is %v: %t", err, kind, errors.Is(err, kind))
			}
		}
		answer, err := http.Get(server.URL + "/api/v1/agents")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != row.code {
			t.Errorf("%v comes with %s", row.err, answer.Status)
		}
	}
}

func TestClientOfSomethingElse(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, err := NewClient(http.DefaultClient, server.URL).Agents(t.Context())
	if err == nil || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "not as fanout does") {
		t.Errorf("%v", err)
	}
}

func TestHandler(t *testing.T) {
	server := served(t, told{})
	for _, row := range []struct {
		method, path string
		code         int
		says         string
	}{
		{"GET", "/api/v1/agents", 200, `"name":"eu-west-prod"`},
		{"HEAD", "/api/v1/agents", 200, ""},
		{"GET", "/api/v1/canaries?namespace=payments", 200, `"namespace":"payments"`},
		{"GET", "/api/v1/canaries/payments/api-health", 200, `"name":"api-health"`},
		{"GET", "/api/v1/agents/eu/canaries/payments/api-health", 200, `"owner":"eu"`},
		{"GET", "/api/v1/canaries/payments", 404, "there is nothing at this path"},
		{"GET", "/api/v1/agents/", 404, "there is nothing at this path"},
		{"GET", "/api/v2/agents", 404, "there is nothing at this path"},
		{"POST", "/api/v1/agents", 405, "nothing can be changed here"},
		{"DELETE", "/api/v1/canaries/payments/api-health", 405, "nothing can be changed here"},
		{"OPTIONS", "/api/v1/agents", 405, "nothing can be changed here"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), row.method, server.URL+row.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != row.code || !strings.Contains(string(body), row.says) {
			t.Errorf("%s %s: %s %s", row.method, row.path, answer.Status, body)
		}
		for header, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
			if got := answer.Header.Get(header); got != want {
				t.Errorf("%s %s: %s is %q", row.method, row.path, header, got)
			}
		}
	}
}

func TestClientWakesWhoWaits(t *testing.T) {
	client := NewClient(http.DefaultClient, "")
	first := client.Changed()
	if client.Changed() != first {
		t.Error("two that wait at the same time are woken apart")
	}
	<-first
	if client.Changed() == first {
		t.Error("whoever waits again is woken at once")
	}
}
