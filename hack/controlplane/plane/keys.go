package plane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"time"
)

// A plane is a thing for tests and demonstrations: certificates that outlive it spare it the code that renews them.
const validity = 10 * 365 * 24 * time.Hour

// authority signs one plane's certificates: what one plane trusts, no other does.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// prepareKeys creates the CA, the server's certificate and the key that signs service account tokens. Each key is written after
// its certificate, so a key that exists means that the pair is complete, even where an earlier start was interrupted.
func (p *Plane) prepareKeys() error {
	if err := p.once(caKeyFile, p.createAuthority); err != nil {
		return fmt.Errorf("certificate authority: %w", err)
	}
	if err := p.once(servingKeyFile, p.createServingCertificate); err != nil {
		return fmt.Errorf("serving certificate: %w", err)
	}
	if err := p.once(tokenKeyFile, p.createTokenKey); err != nil {
		return fmt.Errorf("service account key: %w", err)
	}
	return nil
}

func (p *Plane) once(file string, create func() error) error {
	_, err := os.Stat(p.file(file))
	if errors.Is(err, fs.ErrNotExist) {
		return create()
	}
	return err
}

func (p *Plane) createAuthority() error {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: p.Name + " CA"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	cert, key, err := sign(template, nil)
	if err != nil {
		return err
	}
	return errors.Join(writeFile(p.file(caCertFile), cert), writeFile(p.file(caKeyFile), key))
}

func (p *Plane) createServingCertificate() error {
	ca, err := p.authority()
	if err != nil {
		return err
	}
	cert, key, err := sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		DNSNames:    []string{"localhost", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca)
	if err != nil {
		return err
	}
	return errors.Join(writeFile(p.file(servingCertFile), cert), writeFile(p.file(servingKeyFile), key))
}

func (p *Plane) createTokenKey() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	data, err := encodeKey(key)
	if err != nil {
		return err
	}
	return writeFile(p.file(tokenKeyFile), data)
}

// issue returns a client certificate and its key, by which the API server knows the bearer as user in groups.
func (a *authority) issue(user string, groups []string) (cert, key []byte, err error) {
	return sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a)
}

func (p *Plane) authority() (*authority, error) {
	certPEM, err := os.ReadFile(p.file(caCertFile))
	if err != nil {
		return nil, err
	}
	keyPEM, err := os.ReadFile(p.file(caKeyFile))
	if err != nil {
		return nil, err
	}
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return nil, fmt.Errorf("%s, %s: not PEM", p.file(caCertFile), p.file(caKeyFile))
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, err
	}
	return &authority{cert: cert, key: key}, nil
}

// sign completes template with a new key and returns both as PEM. Without a parent it signs itself.
func sign(template *x509.Certificate, parent *authority) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, err
	}
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(validity)
	if parent == nil {
		parent = &authority{cert: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, key.Public(), parent.key)
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err = encodeKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), keyPEM, err
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}
