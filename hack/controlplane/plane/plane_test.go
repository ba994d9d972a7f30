package plane

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"hub": true, "us-east-1": true, "7": true,
		"": false, "..": false, "a/b": false, "A": false, "-a": false, "a.kubeconfig": false, strings.Repeat("a", 64): false,
	} {
		if _, err := New("dir", name); (err == nil) != want {
			t.Errorf("New(%q): %v", name, err)
		}
	}
}

func TestPreparedAgainItIsTheSame(t *testing.T) {
	p := prepared(t)
	before := read(t, p)
	if err := p.Prepare(); err != nil {
		t.Fatal(err)
	}
	for name, data := range read(t, p) {
		if !bytes.Equal(data, before[name]) {
			t.Errorf("%s has changed", name)
		}
	}
}

func TestAnInterruptedStartIsMadeGood(t *testing.T) {
	p := prepared(t)
	if err := os.Remove(p.file(servingKeyFile)); err != nil {
		t.Fatal(err)
	}
	before := read(t, p)
	if err := p.Prepare(); err != nil {
		t.Fatal(err)
	}
	after := read(t, p)
	if !bytes.Equal(after[caCertFile], before[caCertFile]) {
		t.Error("the authority has changed")
	}
	if bytes.Equal(after[servingCertFile], before[servingCertFile]) {
		t.Error("the certificate without a key is still there")
	}
}

func TestEverythingIsTheOwnersOnly(t *testing.T) {
	p := prepared(t)
	if err := p.WriteKubeconfig(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(p.Dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, p.Dir, p.Kubeconfig) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode()&0o077 != 0 {
			t.Errorf("%s: mode %s", file, info.Mode())
		}
	}
}

func TestThePortIsKept(t *testing.T) {
	p := prepared(t) // has listened once
	server, err := p.Server()
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := "https://" + l.Addr().String(); got != server {
		t.Errorf("listening on %s, was on %s", got, server)
	}
	if _, err := p.Listen(); err == nil || !strings.Contains(err.Error(), "running already") {
		t.Errorf("a second time: %v, want a hint that it is running", err)
	}
}

func TestIssuedIdentity(t *testing.T) {
	p := prepared(t)
	kubeconfig, err := p.IssueKubeconfig("jane", "readers", "writers")
	if err != nil {
		t.Fatal(err)
	}
	cert := parse(t, field(t, kubeconfig, "client-certificate-data"))
	if cert.Subject.CommonName != "jane" || strings.Join(cert.Subject.Organization, " ") != "readers writers" {
		t.Errorf("issued to %s", cert.Subject)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parse(t, field(t, kubeconfig, "certificate-authority-data")))
	options := x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := cert.Verify(options); err != nil {
		t.Error(err)
	}
	options.Roots = x509.NewCertPool()
	other, err := prepared(t).authority()
	if err != nil {
		t.Fatal(err)
	}
	options.Roots.AddCert(other.cert)
	if _, err := cert.Verify(options); err == nil {
		t.Error("another plane accepts the certificate")
	}
}

func prepared(t *testing.T) *Plane {
	t.Helper()
	p, err := New(t.TempDir(), "hub")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Server(); err == nil {
		t.Error("a plane that has never listened has an address")
	}
	if err := p.Prepare(); err != nil {
		t.Fatal(err)
	}
	l, err := p.Listen()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return p
}

func read(t *testing.T, p *Plane) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{caCertFile, caKeyFile, servingCertFile, servingKeyFile, tokenKeyFile, portFile} {
		data, err := os.ReadFile(p.file(name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		files[name] = data
	}
	return files
}

func field(t *testing.T, kubeconfig []byte, name string) []byte {
	t.Helper()
	match := regexp.MustCompile(name + `: (\S+)`).FindSubmatch(kubeconfig)
	if match == nil {
		t.Fatalf("no %s in\n%s", name, kubeconfig)
	}
	data, err := base64.StdEncoding.DecodeString(string(match[1]))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parse(t *testing.T, certPEM []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(certPEM)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
