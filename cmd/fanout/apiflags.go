package main

import (
	"errors"
	"fmt"
	"net"
	"regexp"

	"github.com/spf13/pflag"
)

// apiFlags say where the page and /api/v1/ are served, and how it is found out who asks.
type apiFlags struct {
	bindAddresses            []string
	certFile, privateKeyFile string
	proxyUserHeader          string
	proxyGroupsHeader        string
	proxyClientCAFile        string
}

func (f *apiFlags) addTo(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.bindAddresses, "api-bind-address", f.bindAddresses, "IP addresses and ports for the page and /api/v1/. On a loopback address whoever can reach it is told all that fanout knows, as by kubectl port-forward. On any other it speaks TLS, asks the hub who is asking, and tells of the namespaces whose Canaries they may get. 0 turns it off.")
	flags.StringVar(&f.certFile, "api-tls-cert-file", f.certFile, "PEM file of the certificate for --api-bind-address beyond loopback, with those that lead to its CA. It is read again when it changes.")
	flags.StringVar(&f.privateKeyFile, "api-tls-private-key-file", f.privateKeyFile, "PEM file of the key to it.")
	flags.StringVar(&f.proxyUserHeader, "api-proxy-user-header", f.proxyUserHeader, "Header in which a proxy in front says who is asking, such as X-Forwarded-User. With --api-proxy-client-ca-file it is believed beyond loopback; without, on loopback, where requests without it are refused then.")
	flags.StringVar(&f.proxyGroupsHeader, "api-proxy-groups-header", f.proxyGroupsHeader, "Header in which it says their groups, once or more often, with commas between them, such as X-Forwarded-Groups.")
	flags.StringVar(&f.proxyClientCAFile, "api-proxy-client-ca-file", f.proxyClientCAFile, "PEM file of the CA that signs the proxy's client certificate, and no others: whoever has one may be anybody.")
}

// tells tells whether anything is to be served.
func (f *apiFlags) tells() bool { return len(f.bindAddresses) > 0 && f.bindAddresses[0] != "0" }

// isLoopback tells whether only this host reaches an address.
func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	return net.ParseIP(host).IsLoopback()
}

// asksAt tells whether those who come to an address are asked who they are.
func (f *apiFlags) asksAt(address string) bool {
	return !isLoopback(address) || f.proxyUserHeader != "" && f.proxyClientCAFile == ""
}

var headerName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// faults returns what is wrong with them.
func (f *apiFlags) faults() (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	beyond := ""
	for _, address := range f.bindAddresses {
		host, _, err := net.SplitHostPort(address)
		switch {
		case !f.tells():
		case err != nil || net.ParseIP(host) == nil:
			fault("--api-bind-address %q: must be an IP address and a port, of loopback, such as 127.0.0.1:8082, or another one, such as 0.0.0.0:8443; or 0", address)
		case !isLoopback(address):
			beyond = address
		}
	}
	hasTLS := f.certFile != "" && f.privateKeyFile != ""
	switch {
	case !hasTLS && f.certFile+f.privateKeyFile != "":
		faults = append(faults, errors.New("--api-tls-cert-file, --api-tls-private-key-file: neither without the other"))
	case !hasTLS && beyond != "":
		fault("--api-bind-address %q: is no loopback address, so it takes a certificate: name it with --api-tls-cert-file and --api-tls-private-key-file. Or listen on a loopback address, such as 127.0.0.1:8082, and reach it with kubectl port-forward", beyond)
	case hasTLS && beyond == "":
		fault("--api-tls-cert-file: is used at no --api-bind-address but such as are beyond loopback")
	}
	for name, header := range map[string]string{"--api-proxy-user-header": f.proxyUserHeader, "--api-proxy-groups-header": f.proxyGroupsHeader} {
		if header != "" && !headerName.MatchString(header) {
			fault("%s %q: must be the name of a header, such as X-Forwarded-User", name, header)
		}
	}
	switch {
	case f.proxyUserHeader == "" && f.proxyGroupsHeader+f.proxyClientCAFile != "":
		faults = append(faults, errors.New("--api-proxy-groups-header, --api-proxy-client-ca-file: not without --api-proxy-user-header"))
	case f.proxyUserHeader != "" && f.proxyClientCAFile == "" && beyond != "":
		fault("--api-proxy-user-header: at %s, which is no loopback address, anybody could send it: name the CA of the proxy's client certificate with --api-proxy-client-ca-file", beyond)
	case f.proxyClientCAFile != "" && beyond == "":
		fault("--api-proxy-client-ca-file: is used at no --api-bind-address but such as are beyond loopback")
	}
	return faults
}
