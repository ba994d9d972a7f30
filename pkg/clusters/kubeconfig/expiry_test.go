package kubeconfig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// tokenOf is a JWT with those claims.
func tokenOf(claims string) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return part(`{"alg":"none"}`) + "." + part(claims) + "." + part("signature")
}

// expiryWith is that of a kubeconfig with those lines for its user.
func expiryWith(t rapid.TB, user string) (Expiry, bool) {
	t.Helper()
	return mustParse(t, kubeconfig(goodCluster, user)).Expiry()
}

func TestExpiryOfAToken(t *testing.T) {
	const iat, exp = 1772409600, 1772413200
	for _, row := range []struct {
		name, token string
		at, since   int64 // 0: none
	}{
		{"a ServiceAccount's", tokenOf(`{"aud":["x"],"exp":1772413200,"iat":1772409600,"kubernetes.io":{"namespace":"a"},"nbf":1772409600}`), exp, iat},
		{"no issue, but a beginning", tokenOf(`{"exp":1772413200,"nbf":1772409600}`), exp, iat},
		{"an issue before the beginning", tokenOf(`{"exp":1772413200,"nbf":1772411000,"iat":1772409600}`), exp, iat},
		{"an end alone", tokenOf(`{"exp":1772413200}`), exp, 0},
		{"fractions", tokenOf(`{"exp":1772413200.9,"iat":1772409600.5}`), exp, iat},
		{"exponents", tokenOf(`{"exp":17724132e2,"iat":1.7724096E+9}`), exp, iat},
		{"an issue after the end", tokenOf(`{"exp":1772413200,"iat":1772413201}`), exp, 0},
		{"an issue at the end", tokenOf(`{"exp":1772413200,"iat":1772413200}`), exp, 0},
		{"an issue that is no number", tokenOf(`{"exp":1772413200,"iat":"1772409600"}`), exp, 0},
		{"an issue that is negative", tokenOf(`{"exp":1772413200,"iat":-5}`), exp, 0},
		{"the first second", tokenOf(`{"exp":1}`), 1, 0},
		{"the last second that can be", tokenOf(`{"exp":253402300798}`), never - 1, 0},

		{"opaque", "K10abcdef::server:0123456789", 0, 0},
		{"empty claims", tokenOf(`{}`), 0, 0},
		{"no object", tokenOf(`[1772413200]`), 0, 0},
		{"null", tokenOf(`null`), 0, 0},
		{"no JSON", tokenOf(`exp=1772413200`), 0, 0},
		{"JSON and more", tokenOf(`{"exp":1772413200}{"exp":1}`), 0, 0},
		{"another spelling", tokenOf(`{"EXP":1772413200,"Exp":1}`), 0, 0},
		{"a text", tokenOf(`{"exp":"1772413200"}`), 0, 0},
		{"a null", tokenOf(`{"exp":null}`), 0, 0},
		{"a bool", tokenOf(`{"exp":true}`), 0, 0},
		{"a list", tokenOf(`{"exp":[1772413200]}`), 0, 0},
		{"zero", tokenOf(`{"exp":0}`), 0, 0},
		{"less than a second", tokenOf(`{"exp":0.5}`), 0, 0},
		{"negative", tokenOf(`{"exp":-1772413200}`), 0, 0},
		{"NaN", tokenOf(`{"exp":NaN}`), 0, 0},
		{"infinite", tokenOf(`{"exp":1e400}`), 0, 0},
		{"minus infinite", tokenOf(`{"exp":-1e400}`), 0, 0},
		{"beyond int64", tokenOf(`{"exp":1e300}`), 0, 0},
		{"just beyond int64", tokenOf(`{"exp":9223372036854775808}`), 0, 0},
		{"beyond the year 9999", tokenOf(`{"exp":253402300799}`), 0, 0},
		{"two parts", strings.TrimSuffix(tokenOf(`{"exp":1772413200}`), "."+base64.RawURLEncoding.EncodeToString([]byte("signature"))), 0, 0},
		{"four parts", tokenOf(`{"exp":1772413200}`) + ".x", 0, 0},
		{"padded", "e30." + base64.URLEncoding.EncodeToString([]byte(`{"exp":1772413200}`)) + "=.x", 0, 0},
		{"no base64", "a.{exp}.b", 0, 0},
		{"dots", "..", 0, 0},
		{"deep", tokenOf(strings.Repeat("[", 12000) + strings.Repeat("]", 12000)), 0, 0},
		{"too large", tokenOf(`{"exp":1772413200,"x":"` + strings.Repeat("x", maxClaims) + `"}`), 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, ok := expiryWith(t, `token: "`+row.token+`"`)
			if ok != (row.at != 0) {
				t.Fatalf("%+v, %t", got, ok)
			}
			if ok && (got.At.Unix() != row.at || got.Of != "token") {
				t.Errorf("it ends at %v", got)
			}
			if row.since == 0 && !got.Since.IsZero() || row.since != 0 && got.Since.Unix() != row.since {
				t.Errorf("since %v", got.Since)
			}
		})
	}
}

// certified is a user with a client certificate for that time, and the lines that follow.
func certified(t rapid.TB, notBefore, notAfter time.Time, more string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: notBefore, NotAfter: notAfter}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	chain := append(pemOf("CERTIFICATE", cert), otherPair().cert...) // the issuer's own end does not count
	return "client-certificate-data: " + base64Of(chain) + "\nclient-key-data: " + base64Of(pemOf("PRIVATE KEY", der)) + "\n" + more
}

func TestExpiryOfAClientCertificate(t *testing.T) {
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	end := begin.AddDate(1, 0, 0)
	token := func(at time.Time) string {
		return fmt.Sprintf("token: %s", tokenOf(fmt.Sprintf(`{"exp":%d}`, at.Unix())))
	}
	year := func(y int) time.Time { return time.Date(y, 12, 31, 23, 59, 59, 0, time.UTC) }
	for _, row := range []struct {
		name, user string
		at         time.Time
		of         string
	}{
		{"a certificate", certified(t, begin, end, ""), end, "client certificate"},
		{"and a token that ends later", certified(t, begin, end, token(end.Add(time.Second))), end, "client certificate"},
		{"and a token that ends at once with it", certified(t, begin, end, token(end)), end, "client certificate"},
		{"and a token that ends before", certified(t, begin, end, token(begin)), begin, "token"},
		{"and an opaque token", certified(t, begin, end, "token: opaque"), end, "client certificate"},
		{"and a password", certified(t, begin, end, "username: a\npassword: b"), end, "client certificate"},
		{"a certificate without an end", certified(t, begin, year(9999), ""), time.Time{}, ""},
		{"a certificate without an end, and a token", certified(t, begin, year(9999), token(end)), end, "token"},
		{"a certificate of long ago", certified(t, year(1950), year(1960), ""), time.Time{}, ""},
		{"a certificate for long", certified(t, begin, year(9998), ""), year(9998), "client certificate"},
		{"a password alone", "username: a\npassword: b", time.Time{}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, ok := expiryWith(t, row.user)
			if ok != (row.of != "") || !got.At.Equal(row.at) || got.Of != row.of {
				t.Errorf("%+v, %t", got, ok)
			}
			if row.of == "client certificate" && !got.Since.Equal(begin) {
				t.Errorf("since %v", got.Since)
			}
		})
	}
	if got, _ := expiryWith(t, certified(t, end, begin, "")); !got.At.Equal(begin) || !got.Since.IsZero() {
		t.Errorf("a certificate that begins after its end: %+v", got)
	}
}

// mustBeAnEnd holds for every Expiry, whatever the credential says.
func mustBeAnEnd(t rapid.TB, c *Config) {
	t.Helper()
	e, ok := c.Expiry()
	switch {
	case !ok:
		if e != (Expiry{}) {
			t.Errorf("no end, and yet %+v", e)
		}
	case e.At.Unix() < 1 || e.At.Year() > 9999 || e.At.Location() != time.UTC || e.Of != "token" && e.Of != "client certificate":
		t.Errorf("the end is %+v", e)
	case !e.Since.IsZero() && !e.Since.Before(e.At):
		t.Errorf("it begins after its end: %+v", e)
	}
}

// FuzzExpiry looks at arbitrary claims.
func FuzzExpiry(f *testing.F) {
	for _, claims := range []string{`{"exp":1772413200,"iat":1772409600}`, `{"exp":1e400}`, `{"exp":-0.1,"nbf":NaN}`, `{"exp":9223372036854775807}`, `[[`} {
		f.Add(claims)
	}
	f.Fuzz(func(t *testing.T, claims string) {
		mustBeAnEnd(t, newConfig(accepted{token: tokenOf(claims)}))
		mustBeAnEnd(t, newConfig(accepted{token: claims}))
	})
}
