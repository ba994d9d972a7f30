package kubeconfig

import (
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"pgregory.net/rapid"
)

// mustAgreeWithClientGo reads an accepted file with client-go. Where that accepts it too, the two read the same.
func mustAgreeWithClientGo(t rapid.TB, c *Config, data []byte) {
	t.Helper()
	theirs, err := clientcmd.RESTConfigFromKubeConfig(data)
	if err != nil {
		return
	}
	ours := c.REST()
	// The server is written in one way by us, and client-go keeps what it is given.
	host := strings.TrimRight(theirs.Host, "/")
	if !strings.EqualFold(ours.Host, host) || ours.BearerToken != theirs.BearerToken || ours.Username != theirs.Username ||
		ours.Password != theirs.Password || ours.ServerName != theirs.ServerName || (ours.CAData == nil) != (len(theirs.CAData) == 0) ||
		(ours.CertData == nil) != (len(theirs.CertData) == 0) {
		t.Errorf("%#v\nand client-go reads\n%#v", ours, theirs)
	}
	if theirs.ExecProvider != nil || theirs.AuthProvider != nil || theirs.Insecure || theirs.BearerTokenFile != "" ||
		theirs.CAFile != "" || theirs.CertFile != "" || theirs.KeyFile != "" || theirs.Impersonate.UserName != "" || theirs.Proxy != nil {
		t.Errorf("accepted what client-go reads as\n%#v", theirs)
	}
}

// TestAgreesWithClientGo holds the accepted corpus against client-go, and requires that client-go accepts it too.
func TestAgreesWithClientGo(t *testing.T) {
	for name, fixture := range fixtures(t, "accepted") {
		t.Run(name, func(t *testing.T) {
			data := fill(fixture)
			if _, err := clientcmd.RESTConfigFromKubeConfig(data); err != nil {
				t.Errorf("client-go refuses it: %v", err)
			}
			mustAgreeWithClientGo(t, mustParse(t, data), data)
		})
	}
}

// TestAgreesWithClientGoProperty writes the fields' values in the ways in which YAML's versions and parsers differ.
func TestAgreesWithClientGoProperty(t *testing.T) {
	values := rapid.SampledFrom([]string{
		"x", "'x'", `"x"`, `"\x78"`, "x # y", "'a''b'", "|\n      x", "|-\n      x", ">-\n      x\n      y", "x\n      y", "",
		"~", "null", "Null", "false", "False", "no", "off", "yes", "on", "true", "y", "n", "0", "-1", "0x1F", "0o17", "017", "0b11",
		"1_000", "1e3", ".5", ".inf", ".NaN", "12:30:45", "2024-01-01", "2024-01-01T00:00:00Z", "=", "<<", "x:y", "x,y", "x y",
		"[x]", "[]", "{}", "{x: y}", "- x", "!!str x", "! x", "!!binary eA==", "&a x", "*a", "@x", "`x`", "%x", "'%x'", "? x",
		"https://10.0.0.1:6443", "https://10.0.0.1:6443/a/", "HTTPS://H", "http://10.0.0.1", "10.0.0.1", "{{CA}}", "{{CERT}}", "{{KEY}}",
	})
	keys := rapid.Custom(func(t *rapid.T) string {
		key := string(rapid.SampledFrom(vocabulary).Draw(t, "key"))
		return rapid.SampledFrom([]string{key, key, key, `"` + key + `"`, "'" + key + "'", strings.ToUpper(key), key + " ", "? " + key + "\n    "}).Draw(t, "form")
	})
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		draw := func(first string) string {
			lines := []string{first}
			// Mostly none, so that enough is accepted to compare: of a hundred, some twenty.
			for range rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 1, 2, 3}).Draw(t, "fields") {
				lines = append(lines, keys.Draw(t, "key")+": "+values.Draw(t, "value"))
			}
			return shuffled(t, "\n    ", lines...)
		}
		server := rapid.SampledFrom([]string{goodCluster, goodCluster, "server: " + values.Draw(t, "server")}).Draw(t, "cluster")
		token := rapid.SampledFrom([]string{goodUser, "token: " + values.Draw(t, "token")}).Draw(t, "user")
		data := kubeconfig(draw(server), draw(token))
		if c, err := Parse(data); err != nil {
			mustRefuse(t, data)
		} else {
			accepted++
			mustAgreeWithClientGo(t, c, data)
		}
	})
	if accepted == 0 {
		t.Error("nothing was accepted, so nothing compared")
	}
}
