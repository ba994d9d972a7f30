package kubeconfig

import (
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const goodServer = "https://10.0.0.1:6443"

// mustRefuseArgoCD parses what is to be refused, and checks what holds for every refusal.
func mustRefuseArgoCD(t rapid.TB, server string, config []byte) *RefusedError {
	t.Helper()
	c, err := ParseArgoCD([]byte(server), config)
	if err == nil {
		t.Fatalf("accepted: %v", c)
	}
	var refused *RefusedError
	if !errors.As(err, &refused) || c != nil || len(refused.Faults) == 0 || len(refused.Faults) > maxFaults || len(err.Error()) > 8<<10 {
		t.Fatalf("ParseArgoCD returned %v and a %T", c, err)
	}
	if strings.Contains(err.Error(), marker) || !strings.HasPrefix(err.Error(), "Argo CD cluster refused: ") {
		t.Fatalf("the error: %v", err)
	}
	for _, f := range refused.Faults {
		if f.Problem == "" || f.Fix == "" || !argoCDField.MatchString(f.Field) {
			t.Errorf("a fault without a problem or a fix, or with a strange field: %#v", f)
		}
	}
	return refused
}

var argoCDField = func() *regexp.Regexp {
	known := make([]string, len(argoCDVocabulary))
	for i, name := range argoCDVocabulary {
		known[i] = string(name)
	}
	return regexp.MustCompile(`^(server|config(\.(` + strings.Join(known, "|") + `)){0,2})$`)
}()

func TestArgoCDAccepted(t *testing.T) {
	for _, row := range []struct{ name, server, config, credentials string }{
		{"a token", "https://member.example.com", `{
			"bearerToken": "{{MARKER}}",
			"tlsClientConfig": {"insecure": false, "caData": "{{CA}}"}
		}`, "token"},
		{"a client certificate", goodServer, `{"tlsClientConfig":{"caData":"{{CA}}","certData":"{{CERT}}","keyData":"{{KEY}}","serverName":"api.example.com"}}`, "client certificate"},
		{"a password", goodServer, `{"username":"admin","password":"{{MARKER}}","tlsClientConfig":{"insecure":false}}`, "password"},
		{"without a CA", goodServer, `{"bearerToken":"{{MARKER}}"}`, "token"},
		{"with all that says nothing", goodServer, `{"username":"","password":"","bearerToken":"{{MARKER}}","awsAuthConfig":null,"execProviderConfig":null,
			"proxyUrl":"","disableCompression":true,"tlsClientConfig":{"insecure":false,"serverName":"","caData":null,"certData":"","keyData":null}}`, "token"},
		{"with a prefix", "https://rancher.example.com/k8s/clusters/c-1/", `{"bearerToken":"{{MARKER}}"}`, "token"},
		{"escapes", goodServer, `{"bearer\u0054oken":"\u0048unter2xMarker"}`, "token"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := ParseArgoCD([]byte(row.server), fill(row.config))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.accepted().credentials(); got != row.credentials || c.Server() != strings.TrimSuffix(row.server, "/") {
				t.Errorf("%s at %s", got, c.Server())
			}
			mustHoldAllowedFieldsOnly(t, c)
			mustShowNothing(t, c)
			mustAgreeWithJSON(t, c, fill(row.config))
		})
	}
}

func TestArgoCDRefused(t *testing.T) {
	const good = `{"bearerToken":"{{MARKER}}"}`
	in := func(tls string) string { return `{"bearerToken":"{{MARKER}}","tlsClientConfig":{` + tls + `}}` }
	for _, row := range []struct{ name, server, config, fields, says string }{
		{"a command", goodServer, `{"execProviderConfig":{"command":"argocd-k8s-auth","args":["{{MARKER}}"],"apiVersion":"client.authentication.k8s.io/v1beta1"}}`, "config.execProviderConfig", "bearerToken"},
		{"an empty command", goodServer, `{"execProviderConfig":{},"bearerToken":"{{MARKER}}"}`, "config.execProviderConfig", "runs a command"},
		{"AWS", goodServer, `{"awsAuthConfig":{"clusterName":"{{MARKER}}","roleARN":"{{MARKER}}"},"tlsClientConfig":{"insecure":false,"caData":"{{CA}}"}}`, "config.awsAuthConfig", "bearerToken"},
		{"insecure", goodServer, in(`"insecure":true`), "config.tlsClientConfig.insecure", "caData"},
		{"insecure as text", goodServer, in(`"insecure":"{{MARKER}}"`), "config.tlsClientConfig.insecure", "caData"},
		{"a proxy", goodServer, `{"bearerToken":"{{MARKER}}","proxyUrl":"http://{{MARKER}}"}`, "config.proxyUrl", "remove it"},
		{"plain http", "http://" + marker, good, "server", "https"},
		{"no server", "", good, "server", "missing"},
		{"a server that is none", "://" + marker, good, "server", "not a URL"},
		{"a server with a line break", goodServer + "\n", good, "server", "not a URL"},
		{"a server with a user", "https://" + marker + "@10.0.0.1", good, "server", "holds a user"},
		{"a server with a query", goodServer + "/?" + marker, good, "server", "query"},
		{"a very long server", "https://" + strings.Repeat("a.", maxServer) + "com", good, "server", "too long"},
		{"no config", goodServer, "", "config", "missing"},
		{"no JSON", goodServer, "bearerToken: {{MARKER}}", "config", "not JSON"},
		{"JSON with a comment", goodServer, good + " # x", "config", "not JSON"},
		{"two documents", goodServer, good + good, "config", "not JSON"},
		{"a list", goodServer, `["{{MARKER}}"]`, "config", "mapping"},
		{"null", goodServer, `null`, "config", "mapping"},
		{"a text", goodServer, `"{{MARKER}}"`, "config", "mapping"},
		{"very large", goodServer, `{"bearerToken":"` + strings.Repeat("x", MaxSize) + `"}`, "config", "256 KiB"},
		{"very deep", goodServer, `{"bearerToken":"{{MARKER}}","x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}", "config", "too deep"},
		{"a field twice", goodServer, `{"bearerToken":"{{MARKER}}","bearerToken":"x"}`, "config", "twice"},
		{"a field twice below", goodServer, in(`"insecure":true,"insecure":false`), "config", "twice"},
		{"a field twice where nobody looks", goodServer, `{"bearerToken":"{{MARKER}}","execProviderConfig":{"env":{"A":"1","A":"2"}}}`, "config", "twice"},
		{"a field twice by an escape", goodServer, `{"bearerToken":"{{MARKER}}","bearer\u0054oken":"x"}`, "config", "twice"},
		{"an unknown field", goodServer, `{"bearerToken":"{{MARKER}}","{{MARKER}}":1}`, "config", "unknown field"},
		{"an unknown field below", goodServer, in(`"{{MARKER}}":1`), "config.tlsClientConfig", "unknown field"},
		{"a misspelt field", goodServer, `{"bearer_token":"{{MARKER}}"}`, "config", "write it `bearerToken`"},
		{"a misplaced field", goodServer, `{"bearerToken":"{{MARKER}}","caData":"{{CA}}"}`, "config.caData", "does not belong"},
		{"a kubeconfig's field", goodServer, `{"token":"{{MARKER}}"}`, "config", "unknown field"},
		{"no credential", goodServer, `{"tlsClientConfig":{"insecure":false}}`, "config", "no credential"},
		{"an empty object", goodServer, `{}`, "config", "no credential"},
		{"a token and a password", goodServer, `{"bearerToken":"{{MARKER}}","username":"a","password":"{{MARKER}}"}`, "config.bearerToken", "keep one"},
		{"a header in the token", goodServer, `{"bearerToken":"a\r\nImpersonate-User: {{MARKER}}"}`, "config.bearerToken", "line break"},
		{"a token that is no text", goodServer, `{"bearerToken":{"a":"{{MARKER}}"}}`, "config.bearerToken", "not text"},
		{"a token that is a number", goodServer, `{"bearerToken":12345678}`, "config.bearerToken", "not text"},
		{"a username alone", goodServer, `{"username":"{{MARKER}}"}`, "config.password", "missing"},
		{"a colon in the username", goodServer, `{"username":"a:b","password":"{{MARKER}}"}`, "config.username", "colon"},
		{"TLS that is a list", goodServer, `{"bearerToken":"{{MARKER}}","tlsClientConfig":["{{MARKER}}"]}`, "config.tlsClientConfig", "mapping"},
		{"a CA that is no base64", goodServer, in(`"caData":"-----BEGIN {{MARKER}}"`), "config.tlsClientConfig.caData", "base64"},
		{"a CA that is no PEM", goodServer, in(`"caData":"SHVudGVyMnhNYXJrZXI="`), "config.tlsClientConfig.caData", "PEM"},
		{"a certificate without a key", goodServer, in(`"certData":"{{CERT}}"`), "config.tlsClientConfig.keyData", "missing"},
		{"a key without a certificate", goodServer, in(`"keyData":"{{KEY}}"`), "config.tlsClientConfig.certData", "missing"},
		{"a certificate of another key", goodServer, in(`"certData":"{{CA}}","keyData":"{{KEY}}"`), "config.tlsClientConfig.certData", "does not match"},
		{"a server name that is none", goodServer, in(`"serverName":"{{MARKER}}/x"`), "config.tlsClientConfig.serverName", "host name"},
		{"everything at once", "http://x", `{"execProviderConfig":{"a":1},"awsAuthConfig":{"a":1},"tlsClientConfig":{"insecure":true}}`,
			"server config.execProviderConfig config.awsAuthConfig config.tlsClientConfig.insecure", "https"},
	} {
		t.Run(row.name, func(t *testing.T) {
			refused := mustRefuseArgoCD(t, row.server, fill(row.config))
			if got := refused.fields(); got != row.fields || !strings.Contains(refused.Error(), row.says) {
				t.Errorf("refused for %s, want %s\n%v", got, row.fields, refused)
			}
		})
	}
}

// TestArgoCDIsAKubeconfigInOtherWords writes one configuration in both ways, and reads the same.
func TestArgoCDIsAKubeconfigInOtherWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		server, config := s.writeArgoCD(t)
		c, err := ParseArgoCD([]byte(server), config)
		if err != nil {
			t.Fatalf("%v in %s", err, config)
		}
		if c.Hash() != mustParse(t, s.write(t)).Hash() {
			t.Errorf("two hashes for one configuration: %s", config)
		}
		mustHoldAllowedFieldsOnly(t, c)
	})
}

// TestArgoCDRefusedProperty refuses every sample that has one more field, and doesn't tell its value.
func TestArgoCDRefusedProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		allowed := []string{"username", "password", "bearerToken", "serverName", "caData", "certData", "keyData", "tlsClientConfig", "disableCompression"}
		name := rapid.OneOf(
			rapid.Map(rapid.SampledFrom(argoCDVocabulary), func(p phrase) string { return string(p) }),
			rapid.StringMatching(`[A-Za-z0-9._-]{1,40}`),
		).Filter(func(name string) bool { return !slices.Contains(allowed, name) }).Draw(t, "name")
		s.user[name] = marker
		server, config := s.writeArgoCD(t)
		mustRefuseArgoCD(t, server, config)
	})
}

// writeArgoCD writes a sample as the keys of an Argo CD cluster Secret. A field of the user that no kubeconfig has is
// written under its name.
func (s sample) writeArgoCD(t *rapid.T) (server string, config []byte) {
	tls := map[string]string{"serverName": s.cluster["tls-server-name"], "caData": s.cluster["certificate-authority-data"]}
	top := map[string]string{}
	for name, value := range s.user {
		switch name {
		case "token":
			top["bearerToken"] = value
		case "client-certificate-data":
			tls["certData"] = value
		case "client-key-data":
			tls["keyData"] = value
		default:
			top[name] = value
		}
	}
	maps.DeleteFunc(tls, func(_, value string) bool { return value == "" })
	parts := []string{`"tlsClientConfig": ` + mapping(t, tls, []string{"serverName", "caData", "certData", "keyData"})}
	if rapid.Bool().Draw(t, "secure") {
		parts = append(parts, `"disableCompression": false`)
	}
	for _, name := range slices.Sorted(maps.Keys(top)) {
		parts = append(parts, quoted(name)+": "+quoted(top[name]))
	}
	return s.cluster["server"], []byte("{" + shuffled(t, ",\n\t", parts...) + "}")
}

// mustAgreeWithJSON reads an accepted config with encoding/json, as Argo CD does, and finds the same.
func mustAgreeWithJSON(t rapid.TB, c *Config, config []byte) {
	t.Helper()
	var theirs struct {
		Username, Password, BearerToken string
		AWSAuthConfig                   any
		ExecProviderConfig              any
		ProxyURL                        string
		TLSClientConfig                 struct {
			Insecure                  bool
			ServerName                string
			CAData, CertData, KeyData []byte
		}
	}
	if err := json.Unmarshal(config, &theirs); err != nil {
		return // Argo CD refuses it
	}
	ours := c.REST()
	if ours.BearerToken != theirs.BearerToken || ours.Username != theirs.Username || ours.Password != theirs.Password ||
		ours.ServerName != theirs.TLSClientConfig.ServerName || (ours.CAData == nil) != (len(theirs.TLSClientConfig.CAData) == 0) ||
		(ours.CertData == nil) != (len(theirs.TLSClientConfig.CertData) == 0) {
		t.Errorf("%#v\nand encoding/json reads\n%#v", ours, theirs)
	}
	if theirs.TLSClientConfig.Insecure || theirs.ExecProviderConfig != nil || theirs.AWSAuthConfig != nil || theirs.ProxyURL != "" {
		t.Errorf("accepted what encoding/json reads as\n%#v", theirs)
	}
}

func TestArgoCDsOwnCluster(t *testing.T) {
	for server, want := range map[string]bool{
		"https://kubernetes.default.svc": true, "https://kubernetes.default.svc:443/": true, "https://Kubernetes.Default.svc": true,
		"https://kubernetes.default.svc.cluster.local": true, "https://kubernetes": true, "https://kubernetes.default": true,
		"https://kubernetes.example.com": false, "https://10.0.0.1": false, "https://kubernetes.default.svcx": false,
		"https://kubernetes.default.example.com": false, "": false, "://": false,
		"https://kubernetes.default.svc." + strings.Repeat("x", maxServer): false,
	} {
		if got := IsArgoCDsOwn([]byte(server)); got != want {
			t.Errorf("%.60s: %t", server, got)
		}
	}
}

// FuzzParseArgoCD looks at arbitrary keys, as FuzzParse does at kubeconfigs.
func FuzzParseArgoCD(f *testing.F) {
	for _, config := range []string{
		`{"bearerToken":"{{MARKER}}","tlsClientConfig":{"insecure":false,"caData":"{{CA}}"}}`,
		`{"tlsClientConfig":{"certData":"{{CERT}}","keyData":"{{KEY}}","serverName":"a.b"}}`,
		`{"username":"a","password":"{{MARKER}}","proxyUrl":"x","disableCompression":true}`,
		`{"execProviderConfig":{"command":"sh"},"awsAuthConfig":{"roleARN":"x"},"tlsClientConfig":{"insecure":true}}`,
		`{"bearerToken":"{{MARKER}}","bearerToken":1,"{{MARKER}}":[[{}]]}`,
	} {
		f.Add(goodServer, fill(config))
	}
	f.Add("http://x?y#z", []byte("%YAML 1.1"))
	f.Fuzz(func(t *testing.T, server string, config []byte) {
		c, err := ParseArgoCD([]byte(server), config)
		if err != nil {
			mustRefuseArgoCD(t, server, config)
			return
		}
		if u, err := url.Parse(c.Server()); err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("server %q", c.Server())
		}
		if len(config) > MaxSize || len(server) > maxServer || !json.Valid(config) {
			t.Error("accepted what is too large, or no JSON")
		}
		mustHoldAllowedFieldsOnly(t, c)
		mustBeAnEnd(t, c)
		mustAgreeWithJSON(t, c, config)
	})
}
