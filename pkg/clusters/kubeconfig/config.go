package kubeconfig

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"
)

// A Config is the configuration of a client for one member. Every Config is one that Parse or ParseArgoCD accepted; the zero Config
// is of no use. It never changes, and may be used from several goroutines.
//
// A Config shows no credential in whatever way it is printed, encoded or dumped: its fields are behind a function,
// where no reflection finds them. It can't be compared by reflection either; compare by Hash.
type Config struct {
	accepted func() accepted
}

// accepted holds the fields that a kubeconfig may set, all of them checked.
type accepted struct {
	server        string
	tlsServerName string
	caData        []byte
	certData      []byte
	keyData       []byte
	token         string
	username      string
	password      string
}

func newConfig(a accepted) *Config {
	return &Config{accepted: func() accepted { return a }}
}

// Server returns the server's address, https://host[:port][/prefix].
func (c Config) Server() string { return c.accepted().server }

// Hash returns a SHA-256 over the accepted fields, in hex. It tells a real change of a kubeconfig from one
// of its format, order, comments, names or other contexts, which make no difference.
//
// It is a hash of credentials, among them perhaps a password that can be guessed. Keep it in memory: it belongs in
// no log, status or annotation.
func (c Config) Hash() string {
	a := c.accepted()
	h := sha256.New()
	for _, field := range [][]byte{
		[]byte(a.server), []byte(a.tlsServerName), a.caData, a.certData, a.keyData,
		[]byte(a.token), []byte(a.username), []byte(a.password),
	} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(field)))
		h.Write(size[:])
		h.Write(field)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// REST returns a new rest.Config with the accepted fields and nothing else of the kubeconfig. It uses no proxy, not
// even the environment's, and no rate limit of its own.
//
// Because of the proxy function client-go caches no transport for it: every HTTP client made from it has its own
// connections. Make one per member and share it, and let it follow no redirect: a member could send the hub's requests
// to any address, plain http included. A rest.Config does not hide its credentials in every format: log the Config
// instead.
func (c Config) REST() *rest.Config {
	a := c.accepted()
	return &rest.Config{
		Host:        a.server,
		BearerToken: a.token,
		Username:    a.username,
		Password:    a.password,
		TLSClientConfig: rest.TLSClientConfig{
			ServerName: a.tlsServerName,
			CAData:     bytes.Clone(a.caData),
			CertData:   bytes.Clone(a.certData),
			KeyData:    bytes.Clone(a.keyData),
		},
		Proxy: func(*http.Request) (*url.URL, error) { return nil, nil },
		QPS:   -1,
	}
}

// credentials names the kinds of credential that are given, or "".
func (a accepted) credentials() string {
	var kinds []string
	if a.certData != nil {
		kinds = append(kinds, "client certificate")
	}
	if a.token != "" {
		kinds = append(kinds, "token")
	}
	if a.username != "" {
		kinds = append(kinds, "password")
	}
	return strings.Join(kinds, " and ")
}
