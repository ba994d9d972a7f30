package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/klog/v2"
)

// health answers the kubelet.
type health struct {
	ready  atomic.Bool
	leader atomic.Pointer[leaderelection.LeaderElector]
}

// leaseTolerance is how far behind its lease a leader may be before it is thought to hang.
const leaseTolerance = 20 * time.Second

func (h *health) healthz(w http.ResponseWriter, _ *http.Request) {
	if leader := h.leader.Load(); leader != nil {
		if err := leader.Check(leaseTolerance); err != nil {
			http.Error(w, "leader election: "+err.Error(), http.StatusInternalServerError)
			return
		}
	}
	fmt.Fprintln(w, "ok")
}

func (h *health) readyz(w http.ResponseWriter, _ *http.Request) {
	if !h.ready.Load() {
		http.Error(w, "the hub has not answered yet, or fanout is stopping", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// endpoints are being served.
type endpoints struct {
	server *http.Server
	done   chan struct{}
}

// probes answer the kubelet and whoever collects metrics.
func probes(health *health, metrics *prometheus.Registry, profiling bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", health.healthz)
	mux.HandleFunc("/readyz", health.readyz)
	mux.Handle("/metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	if profiling {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// complaints are what a server says of its connections. Of one that did not come about it says something whatever comes by: nothing that an
// operator has to know.
type complaints struct{}

func (complaints) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if strings.Contains(text, "TLS handshake error") {
		klog.Background().V(4).Info("A connection did not come about", "why", text)
	} else {
		klog.Background().Error(nil, "The server complains", "about", text)
	}
	return len(line), nil
}

func serve(listener net.Listener, handler http.Handler) *endpoints {
	e := &endpoints{
		server: &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: log.New(complaints{}, "", 0)},
		done:   make(chan struct{}),
	}
	go func() {
		defer close(e.done)
		_ = e.server.Serve(listener) // returns when stop is called
	}()
	return e
}

func (e *endpoints) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if e.server.Shutdown(ctx) != nil {
		_ = e.server.Close()
	}
	<-e.done
}
