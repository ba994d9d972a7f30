package plane

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"text/template"
)

// Written as text: the one use of client-go in this package would otherwise be to marshal this.
var kubeconfigTemplate = template.Must(template.New("kubeconfig").Parse(`apiVersion: v1
kind: Config
clusters:
- name: {{.Name}}
  cluster:
    server: {{.Server}}
    certificate-authority-data: {{.CA}}
users:
- name: {{.Name}}
  user:
    client-certificate-data: {{.Cert}}
    client-key-data: {{.Key}}
contexts:
- name: {{.Name}}
  context:
    cluster: {{.Name}}
    user: {{.Name}}
current-context: {{.Name}}
`))

// Server returns the URL of the API server. The plane has one as soon as Listen has been called once.
func (p *Plane) Server() (string, error) {
	port, err := os.ReadFile(p.file(portFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s has never been started in %s", p.Name, p.Dir)
	}
	if err != nil {
		return "", err
	}
	return "https://127.0.0.1:" + strings.TrimSpace(string(port)), nil
}

// WriteKubeconfig writes the administrator's kubeconfig. One that is there already is kept.
func (p *Plane) WriteKubeconfig() error {
	if _, err := os.Stat(p.Kubeconfig); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	data, err := p.IssueKubeconfig("admin", "system:masters")
	if err != nil {
		return err
	}
	return writeFile(p.Kubeconfig, data)
}

// IssueKubeconfig returns a kubeconfig, with everything in it, for a new client certificate of user in groups.
func (p *Plane) IssueKubeconfig(user string, groups ...string) ([]byte, error) {
	server, err := p.Server()
	if err != nil {
		return nil, err
	}
	ca, err := p.authority()
	if err != nil {
		return nil, err
	}
	caPEM, err := os.ReadFile(p.file(caCertFile))
	if err != nil {
		return nil, err
	}
	cert, key, err := ca.issue(user, groups)
	if err != nil {
		return nil, err
	}
	encode := base64.StdEncoding.EncodeToString
	var out bytes.Buffer
	err = kubeconfigTemplate.Execute(&out, map[string]string{
		"Name": p.Name, "Server": server, "CA": encode(caPEM), "Cert": encode(cert), "Key": encode(key),
	})
	return out.Bytes(), err
}

// Client returns an HTTP client that the API server knows as an administrator.
func (p *Plane) Client() (*http.Client, error) {
	ca, err := p.authority()
	if err != nil {
		return nil, err
	}
	cert, key, err := ca.issue("controlplane", []string{"system:masters"})
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs:      roots,
		Certificates: []tls.Certificate{pair},
	}}}, nil
}
