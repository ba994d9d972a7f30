package kubeconfig

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"time"
)

// Expiry is the known end of a credential.
type Expiry struct {
	// At is when it ends, within the years 1970 to 9999.
	At time.Time
	// Since is when it began, before At; zero where that is not known.
	Since time.Time
	// Of is what ends: "client certificate" or "token".
	Of string
}

// Expiry returns the end of what the configuration proves itself by, as far as that tells: the client certificate's, or
// that of a token which is a JWT, whichever comes first. A certificate's issuers are not looked at, nor is anything
// verified: the token's issuer says what it says, and the server decides.
func (c Config) Expiry() (Expiry, bool) {
	a := c.accepted()
	certificate, ends := certificateExpiry(a.certData)
	token, too := tokenExpiry(a.token)
	if !ends || too && token.At.Before(certificate.At) {
		return token, too
	}
	return certificate, true
}

// certificateExpiry reads the first certificate of a chain, which is the client's own.
func certificateExpiry(chain []byte) (Expiry, bool) {
	block, _ := pem.Decode(chain)
	if block == nil {
		return Expiry{}, false
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !isEnd(certificate.NotAfter.Unix()) {
		return Expiry{}, false
	}
	return since(Expiry{At: certificate.NotAfter.UTC(), Of: "client certificate"}, certificate.NotBefore.UTC()), true
}

// maxClaims bounds what is decoded of a token. A ServiceAccount's has some 500 bytes of claims, and an identity
// provider's, with all the groups that somebody is in, some thousands.
const maxClaims = 64 << 10

// tokenExpiry reads the claims of a JWT. A token that is none, or that does not say it in numbers, has no known end.
func tokenExpiry(token string) (Expiry, bool) {
	_, rest, _ := strings.Cut(token, ".")
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(signature, ".") || len(payload) > maxClaims {
		return Expiry{}, false
	}
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return Expiry{}, false
	}
	// Not into a struct: encoding/json would take EXP for exp.
	var claims map[string]json.RawMessage
	if json.Unmarshal(text, &claims) != nil {
		return Expiry{}, false
	}
	end, ok := numericDate(claims["exp"])
	if !ok {
		return Expiry{}, false
	}
	expiry := Expiry{At: end, Of: "token"}
	for _, claim := range []string{"iat", "nbf"} {
		if begin, ok := numericDate(claims[claim]); ok {
			return since(expiry, begin), true
		}
	}
	return expiry, true
}

// numericDate reads a number of seconds since 1970, of which there may be any number and any notation.
func numericDate(value json.RawMessage) (time.Time, bool) {
	var seconds *float64 // nil for null
	if json.Unmarshal(value, &seconds) != nil || seconds == nil {
		return time.Time{}, false
	}
	// Compared as it is: what a float64 beyond int64 becomes when it is converted depends on the processor.
	if !(*seconds >= 1 && *seconds < float64(never)) {
		return time.Time{}, false
	}
	return time.Unix(int64(*seconds), 0).UTC(), true
}

// never is the last second of the year 9999. From there on no time can be written, and certificates that have no end
// say this one.
const never = 253402300799

func isEnd(seconds int64) bool { return seconds >= 1 && seconds < never }

func since(e Expiry, begin time.Time) Expiry {
	if begin.Before(e.At) {
		e.Since = begin
	}
	return e
}
