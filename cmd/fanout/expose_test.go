package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/klog/v2"

	"fanout/pkg/api"
)

func TestAnswersToTheNameOfThisHostAlone(t *testing.T) {
	handler := asLocalhost(api.NewHandler(newSource(&health{}, defaultFlags())))
	for host, code := range map[string]int{
		"localhost:8082": 503, "127.0.0.1:8082": 503, "[::1]:8082": 503, "::1": 503, "fanout": 503, "10.0.0.1": 503,
		"rebound.example.com:8082": 421, "rebound.example.com": 421, "localhost.": 421, "127.0.0.1.example.com": 421,
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/agents", nil)
		request.Host = host
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		var problem api.Problem
		if answer.Code != code || json.Unmarshal(answer.Body.Bytes(), &problem) != nil || problem.Error == "" {
			t.Errorf("%s: %d %s", host, answer.Code, answer.Body)
		}
	}
}

func TestWhereNothingIsToldNothingListens(t *testing.T) {
	for _, addresses := range [][]string{nil, {"0"}} {
		f := defaultFlags()
		f.api.bindAddresses, f.clusterNamespace = addresses, "fanout-system"
		if err := f.validate(); err != nil || f.api.tells() {
			t.Errorf("%q: %v", addresses, err)
		}
	}
}

func TestWhatCannotBeServedIsSaid(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	missing := filepath.Join(t.TempDir(), "tls.crt")
	for says, f := range map[string]*apiFlags{
		"listen on --api-bind-address": {bindAddresses: []string{"127.0.0.1:0", taken.Addr().String()}},
		"read --api-tls-cert-file":     {bindAddresses: []string{"127.0.0.1:0"}, certFile: missing, privateKeyFile: missing},
	} {
		if _, err := tell(klog.Background(), fake.NewClientset(), another{}, f); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, and not: %s", err, says)
		}
	}
}
