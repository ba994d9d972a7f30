package access

import (
	"crypto/x509"
	"errors"
	"net/http"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
)

// The hub puts each user in one of these groups.
const (
	authenticated   = "system:authenticated"
	unauthenticated = "system:unauthenticated"
	anonymous       = "system:anonymous"
)

// Proxy knows who asks by what a proxy in front says, which has asked him. As for an API server, such a proxy is believed in whatever it says.
type Proxy struct {
	// UserHeader and GroupsHeader are where it says so. The latter may be empty: then it tells no groups.
	UserHeader, GroupsHeader string
	// CAs returns who signs the proxy's client certificate, by which it is known. Where that is nil, whoever can connect is the proxy.
	CAs func() *x509.CertPool
}

// Who implements Knower.
func (p *Proxy) Who(r *http.Request) (*authenticationv1.UserInfo, error) {
	if !p.is(r) {
		return nil, nil // what anybody may write
	}
	names := r.Header.Values(p.UserHeader)
	if len(names) != 1 || names[0] == "" {
		return nil, nil // where there are two, one may be the asker's own
	}
	user := &authenticationv1.UserInfo{Username: names[0], Groups: p.groups(r)}
	if user.Username != anonymous && !slices.Contains(user.Groups, authenticated) && !slices.Contains(user.Groups, unauthenticated) {
		user.Groups = append(user.Groups, authenticated)
	}
	return user, nil
}

// groups are those that the header names, once or more often, with commas between them.
func (p *Proxy) groups(r *http.Request) (groups []string) {
	if p.GroupsHeader == "" {
		return nil
	}
	for _, value := range r.Header.Values(p.GroupsHeader) {
		for _, group := range strings.Split(value, ",") {
			if group = strings.TrimSpace(group); group != "" {
				groups = append(groups, group)
			}
		}
	}
	return groups
}

// is tells whether the proxy sent r.
func (p *Proxy) is(r *http.Request) bool {
	if p.CAs == nil {
		return true
	}
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return false
	}
	between := x509.NewCertPool()
	for _, certificate := range r.TLS.PeerCertificates[1:] {
		between.AddCert(certificate)
	}
	_, err := r.TLS.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: p.CAs(), Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err == nil
}

// ParseCAs reads certificates of CAs, as PEM, for reload.Open.
func ParseCAs(files [][]byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(files[0]) {
		return nil, errors.New("there is no certificate in it")
	}
	return pool, nil
}
