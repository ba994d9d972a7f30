package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
)

// authority signs certificates.
type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.certificate, a.key = a.issue(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue signs what template says; the first certificate signs itself.
func (a *authority) issue(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

func (a *authority) pool(t *testing.T) func() *x509.CertPool {
	t.Helper()
	pool, err := ParseCAs([][]byte{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})})
	if err != nil {
		t.Fatal(err)
	}
	return func() *x509.CertPool { return pool }
}

func TestWhomAProxyNames(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	forClients := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	good, _ := ca.issue(t, &x509.Certificate{ExtKeyUsage: forClients})
	servers, _ := ca.issue(t, &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	old, _ := ca.issue(t, &x509.Certificate{ExtKeyUsage: forClients, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)})
	strange, _ := other.issue(t, &x509.Certificate{ExtKeyUsage: forClients})
	alice := func(groups ...string) *authenticationv1.UserInfo {
		return &authenticationv1.UserInfo{Username: "alice", Groups: groups}
	}
	says := func(pairs ...string) http.Header {
		header := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			header.Add(pairs[i], pairs[i+1])
		}
		return header
	}
	beyond := &Proxy{UserHeader: "X-Forwarded-User", GroupsHeader: "X-Forwarded-Groups", CAs: ca.pool(t)}
	loopback := &Proxy{UserHeader: "X-Forwarded-User"}
	for name, row := range map[string]struct {
		proxy       *Proxy
		certificate *x509.Certificate
		header      http.Header
		want        *authenticationv1.UserInfo
	}{
		"a user":                        {beyond, good, says("X-Forwarded-User", "alice"), alice(authenticated)},
		"groups, in any way":            {beyond, good, says("x-forwarded-user", "alice", "X-Forwarded-Groups", "a, b,,", "X-Forwarded-Groups", "c"), alice("a", "b", "c", authenticated)},
		"whatever it says":              {beyond, good, says("X-Forwarded-User", "alice", "X-Forwarded-Groups", "system:masters"), alice("system:masters", authenticated)},
		"a group twice":                 {beyond, good, says("X-Forwarded-User", "alice", "X-Forwarded-Groups", authenticated), alice(authenticated)},
		"nobody in particular":          {beyond, good, says("X-Forwarded-User", anonymous, "X-Forwarded-Groups", unauthenticated), &authenticationv1.UserInfo{Username: anonymous, Groups: []string{unauthenticated}}},
		"no user":                       {beyond, good, says("X-Forwarded-Groups", "a"), nil},
		"an empty one":                  {beyond, good, says("X-Forwarded-User", ""), nil},
		"two":                           {beyond, good, says("X-Forwarded-User", "admin", "X-Forwarded-User", "alice"), nil},
		"another header":                {beyond, good, says("X_Forwarded_User", "alice", "X-Remote-User", "alice"), nil},
		"without a certificate":         {beyond, nil, says("X-Forwarded-User", "alice"), nil},
		"one of another CA":             {beyond, strange, says("X-Forwarded-User", "alice"), nil},
		"one that has ended":            {beyond, old, says("X-Forwarded-User", "alice"), nil},
		"one for servers":               {beyond, servers, says("X-Forwarded-User", "alice"), nil},
		"the CA's own":                  {beyond, other.certificate, says("X-Forwarded-User", "alice"), nil},
		"on loopback":                   {loopback, nil, says("X-Forwarded-User", "alice", "X-Forwarded-Groups", "a"), alice(authenticated)},
		"on loopback, without a header": {loopback, nil, says(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Header = row.header
			if row.proxy.CAs != nil {
				r.TLS = &tls.ConnectionState{}
			}
			if row.certificate != nil {
				r.TLS.PeerCertificates = []*x509.Certificate{row.certificate}
			}
			got, err := row.proxy.Who(r)
			if diff := cmp.Diff(row.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	if _, err := ParseCAs([][]byte{[]byte("no certificate")}); err == nil {
		t.Error("a file without a certificate is taken")
	}
}
