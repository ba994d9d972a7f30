package kubeconfig

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"

	"k8s.io/client-go/rest"
	"pgregory.net/rapid"
)

// mustHoldAllowedFieldsOnly looks at every field of the rest.Config, those of later versions of client-go as well.
func mustHoldAllowedFieldsOnly(t rapid.TB, c *Config) {
	t.Helper()
	config := c.REST()
	allowed := []string{"Host", "BearerToken", "Username", "Password", "Proxy", "QPS", "TLSClientConfig"}
	allowedTLS := []string{"ServerName", "CAData", "CertData", "KeyData"}
	for name, names := range map[string]struct {
		value   reflect.Value
		allowed []string
	}{
		"Config":          {reflect.ValueOf(*config), allowed},
		"TLSClientConfig": {reflect.ValueOf(config.TLSClientConfig), allowedTLS},
	} {
		for i := range names.value.NumField() {
			field := names.value.Type().Field(i).Name
			if !names.value.Field(i).IsZero() && !slices.Contains(names.allowed, field) {
				t.Errorf("%s.%s is set", name, field)
			}
		}
	}
	if config.QPS != -1 {
		t.Errorf("QPS %v", config.QPS)
	}
	if proxy, err := config.Proxy(&http.Request{}); proxy != nil || err != nil {
		t.Errorf("proxy %v, %v", proxy, err)
	}
	if !rest.IsConfigTransportTLS(*config) {
		t.Error("no TLS")
	}
}

// TestRESTIsACopy keeps a Config as it is, whatever happens to a rest.Config made from it.
func TestRESTIsACopy(t *testing.T) {
	c := mustParse(t, kubeconfig(goodCluster+"\ncertificate-authority-data: {{CA}}",
		"client-certificate-data: {{CERT}}\nclient-key-data: {{KEY}}"))
	hash, config := c.Hash(), c.REST()
	for _, data := range [][]byte{config.CAData, config.CertData, config.KeyData} {
		clear(data)
	}
	config.Host = "https://evil.example.com"
	if c.Hash() != hash {
		t.Error("the Config changed")
	}
	mustHoldAllowedFieldsOnly(t, c)
}

// TestRESTReachesAServer makes a client of each kind of credential and looks at what arrives.
func TestRESTReachesAServer(t *testing.T) {
	var got *http.Request
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	defer server.Close()
	cluster := "server: " + server.URL + "/k8s/clusters/c-1/\ncertificate-authority-data: " + base64Of(pemOf("CERTIFICATE", server.Certificate().Raw))

	for user, arrived := range map[string]func() bool{
		goodUser: func() bool { return got.Header.Get("Authorization") == "Bearer "+marker },
		"username: admin\npassword: {{MARKER}}": func() bool {
			username, password, ok := got.BasicAuth()
			return ok && username == "admin" && password == marker
		},
		"client-certificate-data: {{CERT}}\nclient-key-data: {{KEY}}": func() bool {
			return len(got.TLS.PeerCertificates) == 1 && bytes.Equal(pemOf("CERTIFICATE", got.TLS.PeerCertificates[0].Raw), ourPair().cert)
		},
	} {
		t.Run(user, func(t *testing.T) {
			config := mustParse(t, kubeconfig(cluster, user)).REST()
			client, err := rest.HTTPClientFor(config)
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseIdleConnections()
			response, err := client.Get(config.Host + "/version")
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if got.URL.Path != "/k8s/clusters/c-1/version" || !arrived() {
				t.Errorf("%s %v", got.URL, got.Header)
			}
		})
	}
}

// TestHashTellsFieldsApart gives fields that are the same when written one after another.
func TestHashTellsFieldsApart(t *testing.T) {
	seen := map[string]int{}
	for i, a := range []accepted{
		{}, {server: "ab"}, {tlsServerName: "ab"}, {caData: []byte("ab")}, {certData: []byte("ab")}, {keyData: []byte("ab")},
		{token: "ab"}, {username: "ab"}, {password: "ab"}, {username: "a", password: "b"}, {token: "a", username: "b"},
		{server: "a", tlsServerName: "b"}, {caData: []byte("a"), certData: []byte("b")},
	} {
		hash := newConfig(a).Hash()
		if other, ok := seen[hash]; ok || len(hash) != 64 {
			t.Errorf("%d has the hash of %d", i, other)
		}
		seen[hash] = i
	}
	if n := reflect.TypeFor[accepted]().NumField(); n != 8 {
		t.Errorf("%d fields, and the hash and this test know 8", n)
	}
}
