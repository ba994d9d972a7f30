package kubeconfig

import (
	"bytes"
	"strings"
	"testing"
)

func TestServer(t *testing.T) {
	for given, want := range map[string]string{ // "" where it is refused
		"https://10.0.0.1":                                              "https://10.0.0.1",
		"https://10.0.0.1:6443":                                         "https://10.0.0.1:6443",
		"https://10.0.0.1:6443/":                                        "https://10.0.0.1:6443",
		"https://[2001:db8::1]":                                         "https://[2001:db8::1]",
		"https://[2001:DB8::1]:6443":                                    "https://[2001:db8::1]:6443",
		"HTTPS://API.Example.com:443":                                   "https://api.example.com:443",
		"https://localhost:8443":                                        "https://localhost:8443",
		"https://rancher.example.com/k8s/clusters/c-1":                  "https://rancher.example.com/k8s/clusters/c-1",
		"https://rancher.example.com/k8s/clusters/c-1/":                 "https://rancher.example.com/k8s/clusters/c-1",
		"https://rancher.example.com/k8s/clusters/local/apis/x:y@z~_.-": "https://rancher.example.com/k8s/clusters/local/apis/x:y@z~_.-",

		"http://10.0.0.1:6443":                "",
		"httpss://10.0.0.1":                   "",
		"ftp://10.0.0.1":                      "",
		"ws://10.0.0.1":                       "",
		"unix:///var/run/docker.sock":         "",
		"data:,x":                             "",
		"file:///etc/passwd":                  "",
		"javascript:alert(1)":                 "",
		"//10.0.0.1:6443":                     "",
		"/10.0.0.1":                           "",
		"10.0.0.1":                            "",
		"10.0.0.1:6443":                       "",
		"api.example.com:6443":                "",
		"https:":                              "",
		"https:/":                             "",
		"https://":                            "",
		"https:///path":                       "",
		"https:10.0.0.1":                      "",
		"https://:6443":                       "",
		"https://10.0.0.1:0":                  "",
		"https://10.0.0.1:65536":              "",
		"https://10.0.0.1:99999999999999":     "",
		"https://10.0.0.1:http":               "",
		"https://10.0.0.1:6443:6443":          "",
		"https://user@10.0.0.1":               "",
		"https://@10.0.0.1":                   "",
		"https://user:password@10.0.0.1":      "",
		"https://10.0.0.1?":                   "",
		"https://10.0.0.1?a=b":                "",
		"https://10.0.0.1#":                   "",
		"https://10.0.0.1/#a":                 "",
		"https://[fe80::1%25eth0]:6443":       "",
		"https://[::1":                        "",
		"https://2001:db8::1":                 "",
		"https://exa mple.com":                "",
		"https://exa_mple.com":                "",
		"https://-example.com":                "",
		"https://example..com":                "",
		"https://bücher.example":              "",
		"https://example.com\\\\@evil.com":    "",
		"https://%65xample.com":               "",
		"https://example.com/a/../b":          "",
		"https://example.com/..":              "",
		"https://example.com/.":               "",
		"https://example.com//evil.com/":      "",
		"https://example.com/a//b":            "",
		"https://example.com/%2e%2e/a":        "",
		"https://example.com/a%2fb":           "",
		"https://example.com/a b":             "",
		"https://example.com/ü":               "",
		"https://example.com\\r\\nHost: a":    "",
		" https://10.0.0.1":                   "",
		"https://10.0.0.1\\n":                 "",
		"https://10.0.0.1\\u0000":             "",
		"https://" + strings.Repeat("a", 300): "",
	} {
		t.Run(given, func(t *testing.T) {
			data := kubeconfig(`server: "`+given+`"`, goodUser)
			if want == "" {
				if got := mustRefuse(t, data).fields(); got != "clusters[name=member].cluster.server" {
					t.Errorf("refused for %s", got)
				}
				return
			}
			if c := mustParse(t, data); c.Server() != want || c.REST().Host != want {
				t.Errorf("%s, want %s", c.Server(), want)
			}
		})
	}
}

func TestTLSServerName(t *testing.T) {
	for given, ok := range map[string]bool{
		"kubernetes": true, "kubernetes.default.svc": true, "10.0.0.1": true, "::1": true, "KUBERNETES": true,
		"*.example.com": false, "a b": false, "a/b": false, "a:443": false, `a\r\nb`: false, "fe80::1%eth0": false, "münchen.de": false,
	} {
		t.Run(given, func(t *testing.T) {
			data := kubeconfig(goodCluster+"\ntls-server-name: \""+given+`"`, goodUser)
			if !ok {
				mustRefuse(t, data)
				return
			}
			if got := mustParse(t, data).REST().ServerName; got != given {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestCertificateAuthority keeps the certificates of a bundle and nothing else.
func TestCertificateAuthority(t *testing.T) {
	ours, other := ourPair(), otherPair()
	both := append(bytes.Clone(ours.cert), other.cert...)
	broken := pemOf("CERTIFICATE", []byte("broken"))
	withHeader := bytes.Replace(ours.cert, []byte("-----\n"), []byte("-----\nA: b\n\n"), 1)
	for name, test := range map[string]struct{ given, want []byte }{
		"one":                {ours.cert, ours.cert},
		"two":                {both, both},
		"with comments":      {bytes.Join([][]byte{[]byte("# ours\n"), ours.cert, []byte("\r\n# other\n"), other.cert, []byte("end")}, nil), both},
		"with a key":         {append(bytes.Clone(ours.key), ours.cert...), ours.cert},
		"one of two broken":  {append(bytes.Clone(broken), ours.cert...), ours.cert},
		"broken":             {broken, nil},
		"with a PEM header":  {withHeader, nil},
		"a key":              {ours.key, nil},
		"DER":                {[]byte("0\x82\x01\x02"), nil},
		"text":               {[]byte(marker), nil},
		"base64 given twice": {[]byte(base64Of(ours.cert)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			data := kubeconfig(goodCluster+"\ncertificate-authority-data: "+base64Of(test.given), goodUser)
			if test.want == nil {
				mustRefuse(t, data)
				return
			}
			if got := mustParse(t, data).REST().CAData; !bytes.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}
