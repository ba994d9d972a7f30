package kubeconfig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"pgregory.net/rapid"
)

// marker stands in the fixtures wherever a credential, or a value of any kind, may stand. No error and no printed
// Config may hold it.
const marker = "Hunter2xMarker"

// A pair is a self-signed certificate and its key, as PEM.
type pair struct{ cert, key []byte }

var ourPair, otherPair = sync.OnceValue(newPair), sync.OnceValue(newPair)

func newPair() pair {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return pair{cert: selfSigned(key), key: pemOf("PRIVATE KEY", der)}
}

func selfSigned(key crypto.Signer) []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return pemOf("CERTIFICATE", cert)
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func base64Of(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// fill replaces the placeholders of a fixture.
func fill(fixture string) []byte {
	return []byte(strings.NewReplacer(
		"{{MARKER}}", marker,
		"{{CA}}", base64Of(otherPair().cert),
		"{{CERT}}", base64Of(ourPair().cert),
		"{{KEY}}", base64Of(ourPair().key),
	).Replace(fixture))
}

// kubeconfig is a kubeconfig with the given fields, one per line, in its cluster and its user.
func kubeconfig(cluster, user string) []byte {
	indent := func(lines string) string {
		return "    " + strings.ReplaceAll(strings.TrimSpace(lines), "\n", "\n    ")
	}
	return fill(`apiVersion: v1
kind: Config
current-context: member
contexts: [{name: member, context: {cluster: member, user: member}}]
clusters:
- name: member
  cluster:
` + indent(cluster) + `
users:
- name: member
  user:
` + indent(user) + "\n")
}

const (
	goodCluster = "server: https://10.0.0.1:6443"
	goodUser    = "token: {{MARKER}}"
)

// fixtures returns the files of a directory under testdata, by name.
func fixtures(t rapid.TB, dir string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", dir, "*.yaml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no fixtures in %s: %v", dir, err)
	}
	files := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = string(data)
	}
	return files
}

// expectation returns what a fixture says of itself in a comment `# key: …`.
func expectation(t rapid.TB, fixture, key string) string {
	t.Helper()
	for line := range strings.Lines(fixture) {
		if value, ok := strings.CutPrefix(line, "# "+key+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("fixture has no line `# %s:`", key)
	return ""
}

func mustParse(t rapid.TB, data []byte) *Config {
	t.Helper()
	c, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mustRefuse parses what is to be refused, and checks what holds for every refusal.
func mustRefuse(t rapid.TB, data []byte) *RefusedError {
	t.Helper()
	c, err := Parse(data)
	if err == nil {
		t.Fatalf("accepted: %v", c)
	}
	var refused *RefusedError
	if !errors.As(err, &refused) || c != nil || len(refused.Faults) == 0 {
		t.Fatalf("Parse returned %v and a %T", c, err)
	}
	if strings.Contains(err.Error(), marker) {
		t.Fatalf("the error holds the marker: %v", err)
	}
	for _, f := range refused.Faults {
		if f.Problem == "" || f.Fix == "" {
			t.Errorf("a fault without a problem or a fix: %#v", f)
		}
	}
	return refused
}

// fields lists the fields at fault. A dot stands for the file as a whole.
func (e *RefusedError) fields() string {
	var fields []string
	for _, f := range e.Faults {
		if f.Field == "" {
			f.Field = "."
		}
		fields = append(fields, f.Field)
	}
	return strings.Join(fields, " ")
}
