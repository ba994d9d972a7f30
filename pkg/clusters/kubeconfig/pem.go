package kubeconfig

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"strings"
)

// Checking an RSA key takes time that grows with the cube of what its primes claim to be, so that one key of a few
// kilobytes would keep a processor for minutes. crypto/tls accepts no larger key from a server either.
const (
	maxRSABits = 8192
	maxKeySize = 6 << 10 // an RSA key of 8192 bits has 4.7 KiB
)

// certificates returns the certificates of a PEM bundle as PEM again: without comments, headers and whatever else is
// in between, and without those that crypto/x509 can't read and so would leave out too. Nil means that there are none.
func certificates(data []byte) []byte {
	var out bytes.Buffer
	for block := range blocks(data) {
		if block.Type != "CERTIFICATE" || len(block.Headers) > 0 {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			continue
		}
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: block.Bytes}))
	}
	return out.Bytes()
}

// keyPair returns a client certificate with its chain and its key as PEM again, after proving that the two belong
// together. Otherwise it says what is wrong with them.
func keyPair(certData, keyData []byte) (cert, key []byte, problem phrase) {
	if cert = certificates(certData); cert == nil {
		return nil, nil, "holds no PEM certificate"
	}
	for block := range blocks(keyData) {
		if block.Type != "PRIVATE KEY" && !strings.HasSuffix(block.Type, " PRIVATE KEY") {
			continue
		}
		if tooLarge(block.Bytes) {
			return nil, nil, "comes with a key larger than RSA with 8192 bits"
		}
		key = pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})
		break
	}
	if key == nil {
		return nil, nil, "comes with no PEM private key"
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		return nil, nil, "does not match the client key"
	}
	return cert, key, ""
}

// blocks yields the PEM blocks of data.
func blocks(data []byte) func(yield func(*pem.Block) bool) {
	return func(yield func(*pem.Block) bool) {
		for {
			block, rest := pem.Decode(data)
			if block == nil || !yield(block) {
				return
			}
			data = rest
		}
	}
}

// tooLarge reports whether crypto/x509 would take too long to check a key. It reads the key's DER the way crypto/x509
// does, so that there is no RSA key that only one of the two understands.
func tooLarge(der []byte) bool {
	if len(der) > maxKeySize {
		return true
	}
	var pkcs8 struct {
		Version    int
		Algorithm  pkix.AlgorithmIdentifier
		PrivateKey []byte
	}
	if _, err := asn1.Unmarshal(der, &pkcs8); err == nil {
		der = pkcs8.PrivateKey
	}
	var pkcs1 struct {
		Version int
		N       *big.Int
		E       int
		D, P, Q *big.Int
	}
	if _, err := asn1.Unmarshal(der, &pkcs1); err != nil {
		return false
	}
	return pkcs1.N.BitLen() > maxRSABits || pkcs1.P.BitLen() > maxRSABits/2 || pkcs1.Q.BitLen() > maxRSABits/2
}
