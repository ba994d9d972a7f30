package kubeconfig

import (
	"encoding/json"
	"net/url"
	"strings"
)

// argoCDVocabulary is every field that the configuration of an Argo CD cluster has.
var argoCDVocabulary = []phrase{
	"username", "password", "bearerToken", "tlsClientConfig", "awsAuthConfig", "execProviderConfig", "proxyUrl", "disableCompression",
	"insecure", "serverName", "caData", "certData", "keyData",
}

const (
	argoCDTokenFix phrase = "create a ServiceAccount in the member and give its token as `bearerToken`"
	argoCDPEMFix   phrase = "give it as base64 of PEM"
)

// maxServer is more than any address has.
const maxServer = 2048

// ParseArgoCD reads the keys server and config of an Argo CD cluster Secret. It guarantees of them what Parse guarantees of
// a kubeconfig, and where the two say the same, the Configs have the same hash.
func ParseArgoCD(server, config []byte) (*Config, error) {
	f := faults{dialect: dialect{what: "Argo CD cluster", vocabulary: argoCDVocabulary}}
	var a accepted
	switch {
	case len(server) == 0:
		f.add("server", 0, "is missing", serverForm)
	case len(server) > maxServer:
		f.add("server", 0, "is too long", serverForm)
	default:
		var problem phrase
		if a.server, problem = serverOf(string(server)); problem != "" {
			f.add("server", 0, problem, serverForm)
		}
	}
	f.under = "config"
	if isJSON(config, &f) {
		if top, ok := readDocument(config, &f); ok {
			readArgoCD(top, &a)
		}
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return newConfig(a), nil
}

// isJSON checks what the reader of documents, which takes YAML, leaves open.
func isJSON(config []byte, f *faults) bool {
	const fix = phrase("give `bearerToken`, and `caData` in `tlsClientConfig`, as a JSON object")
	switch {
	case len(config) == 0:
		f.add("", 0, "is missing", fix)
	case len(config) > MaxSize:
		f.add("", 0, "is larger than 256 KiB", fix)
	case !json.Valid(config):
		f.add("", 0, "is not JSON", fix)
	default:
		return true
	}
	return false
}

func readArgoCD(s *section, a *accepted) {
	faultsBefore := s.faults.count()
	s.refuse("execProviderConfig", "runs a command in the hub", argoCDTokenFix)
	s.refuse("awsAuthConfig", "runs a command in the hub", argoCDTokenFix)
	s.refuse("proxyUrl", "names a proxy", "remove it: fanout connects to a member directly")
	s.ignore("disableCompression")
	readToken(s, "bearerToken", a)
	readPassword(s, argoCDTokenFix, a)
	if s.value("tlsClientConfig") != nil {
		if tls := s.sub("tlsClientConfig"); tls != nil {
			tls.refuse("insecure", "turns off the check of the server's certificate", "remove it, and give the server's CA as `caData`")
			readIdentity(tls, "caData", "serverName", argoCDPEMFix, a)
			readClientCertificate(tls, "certData", "keyData", argoCDPEMFix, a)
			tls.end()
		}
	}
	s.end()

	oneOfTwo(s, "bearerToken", a)
	if a.credentials() == "" && s.faults.count() == faultsBefore {
		s.faults.add("", s.node.Line, "has no credential", argoCDTokenFix)
	}
}

// IsArgoCDsOwn tells whether the key server of an Argo CD cluster Secret is the name that Argo CD has, within its own
// cluster, for that cluster.
func IsArgoCDsOwn(server []byte) bool {
	if len(server) > maxServer {
		return false
	}
	u, err := url.Parse(string(server))
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return host == "kubernetes" || host == "kubernetes.default" || host == "kubernetes.default.svc" ||
		strings.HasPrefix(host, "kubernetes.default.svc.")
}
