package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestEndpoints(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "fanout_test", Help: "A test."}))
	health := &health{}
	served := serve(listener, probes(health, metrics, false))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) (int, string) {
		t.Helper()
		answer, err := client.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	answers := func(path string, code int, part string) {
		t.Helper()
		if got, body := get(path); got != code || !strings.Contains(body, part) {
			t.Errorf("%s: %d %s", path, got, body)
		}
	}

	answers("/healthz", 200, "ok")
	answers("/readyz", 503, "the hub has not answered yet")
	health.ready.Store(true)
	answers("/readyz", 200, "ok")
	health.ready.Store(false)
	answers("/readyz", 503, "stopping")
	answers("/metrics", 200, "fanout_test 0")
	answers("/", 404, "")
	answers("/debug/pprof/", 404, "")

	served.stop()
	if answer, err := client.Get("http://" + listener.Addr().String() + "/healthz"); err == nil {
		answer.Body.Close()
		t.Error("stopped, it still answers")
	}
}

func TestProfilesWhereAskedFor(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := serve(listener, probes(&health{}, prometheus.NewRegistry(), true))
	defer served.stop()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + listener.Addr().String() + "/debug/pprof/heap?gc=1")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK || len(body) == 0 {
		t.Errorf("a profile of the heap is answered with %s, %d bytes: %v", answer.Status, len(body), err)
	}
}
