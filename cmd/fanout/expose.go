package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"

	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"fanout/pkg/access"
	"fanout/pkg/api"
	"fanout/pkg/page"
	"fanout/pkg/reload"
)

// tell serves what source tells until stop is called: all of it, or to those who are asked who they are, what of it they may see.
func tell(logger klog.Logger, hub kubernetes.Interface, source api.Source, f *apiFlags) (stop func(), err error) {
	if !f.tells() {
		return func() {}, nil
	}
	pages := page.New(source, clock.RealClock{})
	knowers, config, err := f.knowers(logger, hub)
	if err != nil {
		return nil, err
	}
	gate := access.NewGate(logger, source, access.NewRights(hub, source), serving(source, pages), knowers...)
	var served []*endpoints
	stop = func() {
		gate.Close() // open pages would be waited for
		pages.Close()
		for _, each := range served {
			each.stop()
		}
	}
	for _, address := range f.bindAddresses {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			stop()
			return nil, fmt.Errorf("listen on --api-bind-address: %w", err)
		}
		logger.Info("Serving /api/v1/ and the page", "address", listener.Addr().String(), "asksWho", f.asksAt(address))
		handler := http.Handler(gate)
		if !f.asksAt(address) {
			handler = asLocalhost(answers(source, pages))
		}
		if !isLoopback(address) {
			listener = tls.NewListener(listener, config)
		}
		served = append(served, serve(listener, handler))
	}
	return stop, nil
}

// answers is what is served: /api/v1/, and pages.
func answers(source api.Source, pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", api.NewHandler(source))
	mux.Handle("/", pages)
	return mux
}

// serving serves parts of what whole tells. All who may see the whole share its pages.
func serving(whole api.Source, pages *page.Page) access.Serving {
	return func(source api.Source) (http.Handler, func()) {
		if source == whole {
			return answers(source, pages.Anywhere()), func() {}
		}
		part := page.New(source, clock.RealClock{})
		return answers(source, part.Anywhere()), part.Close
	}
}

// knowers are what knows who is asking, and config is that of connections beyond loopback.
func (f *apiFlags) knowers(logger klog.Logger, hub kubernetes.Interface) (knowers []access.Knower, config *tls.Config, err error) {
	proxy := &access.Proxy{UserHeader: f.proxyUserHeader, GroupsHeader: f.proxyGroupsHeader}
	if f.certFile == "" {
		if f.proxyUserHeader != "" {
			knowers = append(knowers, proxy)
		}
		return knowers, nil, nil
	}
	certificate, err := reload.Open(logger, parsePair, f.certFile, f.privateKeyFile)
	if err != nil {
		return nil, nil, fmt.Errorf("read --api-tls-cert-file and --api-tls-private-key-file: %w", err)
	}
	config = &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate.Get(), nil },
	}
	if f.proxyClientCAFile != "" {
		cas, err := reload.Open(logger, access.ParseCAs, f.proxyClientCAFile)
		if err != nil {
			return nil, nil, fmt.Errorf("read --api-proxy-client-ca-file: %w", err)
		}
		proxy.CAs = cas.Get
		config.ClientAuth = tls.RequestClientCert // which proxy.Who verifies: others have none, or another
		knowers = append(knowers, proxy)
	}
	return append(knowers, access.NewTokens(hub)), config, nil
}

// parsePair reads a certificate and its key, as PEM.
func parsePair(files [][]byte) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(files[0], files[1])
	return &pair, err
}

// asLocalhost answers what is asked for by a name of this host alone, or by its address. A page on another host in the browser of somebody who
// forwards a port could have its own name lead here, and read everything.
func asLocalhost(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		isAddress := net.ParseIP(strings.Trim(host, "[]")) != nil
		if !isAddress && strings.Contains(host, ".") { // names without a dot are nobody's elsewhere
			api.Refuse(w, http.StatusMisdirectedRequest, "ask for this by the name localhost")
			return
		}
		handler.ServeHTTP(w, r)
	})
}
