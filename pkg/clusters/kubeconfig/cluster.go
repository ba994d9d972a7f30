package kubeconfig

import (
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

const embedFix phrase = "embed the content: `kubectl config view --minify --flatten --raw`"

// readCluster reads how to find the server and how to know it.
func readCluster(s *section, a *accepted) {
	s.refuse("certificate-authority", "is the path of a file", embedFix)
	s.refuse("insecure-skip-tls-verify", "turns off the check of the server's certificate",
		"remove it, and give the server's CA as `certificate-authority-data`")
	s.refuse("proxy-url", "names a proxy", "remove it: fanout connects to a member directly")
	s.ignore("disable-compression", "extensions")

	a.server = readServer(s)
	readIdentity(s, "certificate-authority-data", "tls-server-name", embedFix, a)
	s.end()
}

// readIdentity reads how to know the server.
func readIdentity(s *section, caField, nameField, fix phrase, a *accepted) {
	if data := s.data(caField); data != nil {
		if a.caData = certificates(data); a.caData == nil {
			s.fault(caField, "holds no PEM certificate", fix)
		}
	}
	a.tlsServerName = s.text(nameField)
	if a.tlsServerName != "" && !isHost(a.tlsServerName) {
		s.fault(nameField, "is not a host name", "give the DNS name or IP address that the server's certificate is for")
	}
}

const serverForm phrase = "give it as https://host:port, with a path prefix where there is one"

// readServer returns the server as https://host[:port][/prefix], without a slash at its end, or "".
func readServer(s *section) string {
	const field = phrase("server")
	text := s.text(field)
	if text == "" {
		if s.value(field) == nil {
			s.fault(field, "is missing", serverForm)
		}
		return ""
	}
	server, problem := serverOf(text)
	if problem != "" {
		s.fault(field, problem, serverForm)
	}
	return server
}

// serverOf returns the server that a text names, or says what is wrong with it.
func serverOf(text string) (server string, problem phrase) {
	u, err := url.Parse(text)
	if err != nil {
		return "", "is not a URL"
	}
	switch {
	case u.Scheme != "https":
		return "", "is not an https address"
	case u.User != nil:
		return "", "holds a user"
	case strings.ContainsAny(text, "?#"):
		return "", "has a query or a fragment"
	case !isHost(u.Hostname()):
		return "", "has no valid host"
	case u.Port() != "" && !isPort(u.Port()):
		return "", "has no valid port"
	case !isPrefix(u):
		return "", "has no plain path"
	}
	host := strings.ToLower(u.Hostname())
	if u.Port() != "" {
		host = net.JoinHostPort(host, u.Port())
	} else if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return "https://" + host + strings.TrimRight(u.Path, "/"), ""
}

func isHost(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Zone() == ""
	}
	return len(validation.IsDNS1123Subdomain(strings.ToLower(host))) == 0
}

func isPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// isPrefix reports whether a URL's path reads the same escaped and not, and has no part that leads elsewhere.
func isPrefix(u *url.URL) bool {
	prefix := strings.TrimRight(u.Path, "/")
	return u.EscapedPath() == u.Path && (prefix == "" || path.Clean(prefix) == prefix)
}
