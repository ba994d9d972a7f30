package kubeconfig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

func TestToken(t *testing.T) {
	for given, ok := range map[string]bool{
		`abc`: true, `a.b-c_d~e+f/g==`: true, `kubeconfig-user-x:y`: true, `K10::server:x`: true,
		`a b`: false, ` a`: false, `a `: false, `a\n`: false, `a\r\nX: y`: false, `a\tb`: false, `a\u0000`: false,
		`a\u007f`: false, `ü`: false, `a\u2028b`: false, `a\u00a0`: false,
	} {
		t.Run(given, func(t *testing.T) {
			data := kubeconfig(goodCluster, `token: "`+given+`"`)
			if !ok {
				mustRefuse(t, data)
				return
			}
			if got := mustParse(t, data).REST().BearerToken; got != given {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestPassword(t *testing.T) {
	for user, ok := range map[string]bool{
		"username: admin\npassword: {{MARKER}}":                                                              true,
		"username: admin\npassword: 'ü: \u20ac '":                                                            true,
		"username: admin\npassword: ''":                                                                      false,
		"username: ''\npassword: {{MARKER}}":                                                                 false,
		"username: a:b\npassword: {{MARKER}}":                                                                false,
		"username: \"a\\nb\"\npassword: {{MARKER}}":                                                          false,
		"username: admin\npassword: \"{{MARKER}}\\u0000\"":                                                   false,
		"username: admin\npassword: \"{{MARKER}}\\u0085\"":                                                   false,
		"username: 7\npassword: {{MARKER}}":                                                                  false,
		"username: [{{MARKER}}]\npassword: {a: {{MARKER}}}":                                                  false,
		"username: admin\npassword: {{MARKER}}\ntoken: {{MARKER}}":                                           false,
		"username: admin\ntoken: {{MARKER}}":                                                                 false,
		"username: ''\npassword: ''\ntoken: {{MARKER}}":                                                      true,
		"client-certificate-data: {{CERT}}\nclient-key-data: {{KEY}}\nusername: admin\npassword: {{MARKER}}": true,
	} {
		t.Run(user, func(t *testing.T) {
			if data := kubeconfig(goodCluster, user); ok {
				mustParse(t, data)
			} else {
				mustRefuse(t, data)
			}
		})
	}
}

func TestClientCertificate(t *testing.T) {
	ours, other := ourPair(), otherPair()
	both := append(bytes.Clone(ours.cert), other.cert...)
	parameters := pemOf("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7})
	for name, test := range map[string]struct{ cert, key, wantCert []byte }{
		"a pair":                    {ours.cert, ours.key, ours.cert},
		"a chain":                   {both, ours.key, both},
		"both in one file":          {append(bytes.Clone(ours.key), ours.cert...), append(bytes.Clone(ours.cert), ours.key...), ours.cert},
		"parameters before the key": {ours.cert, append(parameters, ours.key...), ours.cert},
		"two keys, ours first":      {ours.cert, append(bytes.Clone(ours.key), other.key...), ours.cert},
		"another key":               {ours.cert, other.key, nil},
		"swapped":                   {ours.key, ours.cert, nil},
		"the chain upside down":     {append(bytes.Clone(other.cert), ours.cert...), ours.key, nil},
		"no certificate":            {[]byte(marker), ours.key, nil},
		"no key":                    {ours.cert, []byte(marker), nil},
		"an encrypted key":          {ours.cert, pemOf("ENCRYPTED PRIVATE KEY", []byte(marker)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			data := kubeconfig(goodCluster, "client-certificate-data: "+base64Of(test.cert)+"\nclient-key-data: "+base64Of(test.key))
			if test.wantCert == nil {
				mustRefuse(t, data)
				return
			}
			got := mustParse(t, data).REST()
			if !bytes.Equal(got.CertData, test.wantCert) || !bytes.Equal(got.KeyData, ours.key) {
				t.Errorf("got\n%s%s", got.CertData, got.KeyData)
			}
		})
	}
}

// TestKeyKinds accepts every kind of key that crypto/tls has, in every PEM form.
func TestKeyKinds(t *testing.T) {
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	ecKey, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	pkcs8 := func(key any) []byte { der, _ := x509.MarshalPKCS8PrivateKey(key); return pemOf("PRIVATE KEY", der) }
	sec1, _ := x509.MarshalECPrivateKey(ecKey)
	for name, test := range map[string]struct {
		key crypto.Signer
		pem []byte
	}{
		"RSA PKCS#1":   {rsaKey, pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))},
		"RSA PKCS#8":   {rsaKey, pkcs8(rsaKey)},
		"ECDSA SEC1":   {ecKey, pemOf("EC PRIVATE KEY", sec1)},
		"ECDSA PKCS#8": {ecKey, pkcs8(ecKey)},
		"Ed25519":      {edKey, pkcs8(edKey)},
	} {
		t.Run(name, func(t *testing.T) {
			cert := selfSigned(test.key)
			mustParse(t, kubeconfig(goodCluster, "client-certificate-data: "+base64Of(cert)+"\nclient-key-data: "+base64Of(test.pem)))
		})
	}
}

// TestKeyThatTakesLong refuses RSA keys whose primes claim a size that would keep crypto/x509 busy.
func TestKeyThatTakesLong(t *testing.T) {
	odd := func(bits uint) *big.Int {
		return new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1))
	}
	pkcs1 := func(n, p, q uint) []byte {
		der, err := asn1.Marshal(struct {
			Version int
			N       *big.Int
			E       int
			D, P, Q *big.Int
		}{0, odd(n), 65537, big.NewInt(3), odd(p), odd(q)})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	inPKCS8 := func(der []byte) []byte {
		der, err := asn1.Marshal(struct {
			Version   int
			Algorithm struct{ OID asn1.ObjectIdentifier }
			Key       []byte
		}{0, struct{ OID asn1.ObjectIdentifier }{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}}, der})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for name, der := range map[string][]byte{
		"a large prime":          pkcs1(2048, 40000, 64),
		"the other prime":        pkcs1(2048, 64, 40000),
		"a large modulus":        pkcs1(30000, 1024, 1024),
		"a very large one":       pkcs1(1<<20, 1<<19, 1<<19),
		"a large prime, PKCS#8":  inPKCS8(pkcs1(2048, 40000, 64)),
		"as large as is allowed": pkcs1(maxRSABits-1, maxRSABits/2-1, maxRSABits/2-1), // checked, and no key
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			for _, kind := range []string{"PRIVATE KEY", "X PRIVATE KEY"} {
				mustRefuse(t, kubeconfig(goodCluster, "client-certificate-data: {{CERT}}\nclient-key-data: "+base64Of(pemOf(kind, der))))
			}
			if took := time.Since(start); took > patience {
				t.Errorf("took %v", took)
			}
		})
	}
}
