package register

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"fanout/pkg/clusters/kubeconfig"
)

func TestAddressOf(t *testing.T) {
	ca, err := os.ReadFile("testdata/ca.crt")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		config rest.Config
		server string // the flag
		want   string
		says   string
	}{
		{"as the kubeconfig has it", rest.Config{Host: "https://10.0.0.7:6443"}, "", "https://10.0.0.7:6443", ""},
		{"with a path", rest.Config{Host: "https://rancher.example.com/k8s/clusters/c-1/"}, "", "https://rancher.example.com/k8s/clusters/c-1", ""},
		{"another for the hub", rest.Config{Host: "https://127.0.0.1:36511"}, "https://dev-control-plane:6443", "https://dev-control-plane:6443", ""},
		{"a loopback address", rest.Config{Host: "https://127.0.0.1:36511"}, "", "", "--server https://HOST:PORT"},
		{"another one", rest.Config{Host: "https://127.8.8.8"}, "", "", "--server"},
		{"of IPv6", rest.Config{Host: "https://[::1]:6443"}, "", "", "--server"},
		{"by name", rest.Config{Host: "https://localhost:6443"}, "", "", "--server"},
		{"as Docker Desktop writes it", rest.Config{Host: "https://kubernetes.docker.internal.localhost:6443"}, "", "", "--server"},
		{"any address", rest.Config{Host: "https://0.0.0.0:6443"}, "", "", "--server"},
		{"an unchecked certificate", rest.Config{Host: "https://10.0.0.7", TLSClientConfig: rest.TLSClientConfig{Insecure: true}}, "", "", "certificate-authority-data"},
		{"a CA that is not there", rest.Config{Host: "https://10.0.0.7", TLSClientConfig: rest.TLSClientConfig{CAFile: "/does/not/exist"}}, "", "", "CA"},
		{"a CA in a file", rest.Config{Host: "https://10.0.0.7", TLSClientConfig: rest.TLSClientConfig{CAFile: file}}, "", "https://10.0.0.7", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			at, err := addressOf(&row.config, row.server)
			if row.says != "" {
				if err == nil || !strings.Contains(err.Error(), row.says) {
					t.Errorf("%v does not say %q", err, row.says)
				}
				return
			}
			if err != nil || at.server != row.want {
				t.Fatalf("%q, %v, want %q", at.server, err, row.want)
			}
			if row.config.CAFile != "" && string(at.ca) != string(ca) {
				t.Errorf("the CA is %q", at.ca)
			}
			text, err := at.kubeconfig("eu-west-prod", "secret-token")
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := kubeconfig.Parse(text)
			if err != nil || parsed.Server() != row.want || parsed.REST().BearerToken != "secret-token" {
				t.Errorf("as fanout reads it: %v, %v", parsed, err)
			}
		})
	}
}

func TestIsLoopback(t *testing.T) {
	for _, server := range []string{"https://10.0.0.7", "https://[fe80::1]", "https://localhost.example.com", "https://dev-control-plane:6443"} {
		if at, err := url.Parse(server); err != nil || isLoopback(at) {
			t.Errorf("%s: %v", server, err)
		}
	}
}
