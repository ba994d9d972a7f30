package clusters

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"

	"k8s.io/client-go/rest"
)

// maxRefusal bounds what is read of an answer that refuses a request.
const maxRefusal = 1 << 20

// redactor keeps a member from getting its own credential into logs and Events: what a server answers to a refused
// request ends up there, and some servers, and hostile ones, repeat the request's headers.
type redactor struct {
	http.RoundTripper
	secrets [][]byte
}

func newRedactor(next http.RoundTripper, config *rest.Config) *redactor {
	r := &redactor{RoundTripper: next}
	for _, secret := range []string{config.BearerToken, config.Password} {
		if secret != "" {
			r.secrets = append(r.secrets, []byte(secret))
		}
	}
	if config.Password != "" {
		r.secrets = append(r.secrets, []byte(base64.StdEncoding.EncodeToString([]byte(config.Username+":"+config.Password))))
	}
	return r
}

// RoundTrip takes the credential out of the body of a refusal.
func (r *redactor) RoundTrip(req *http.Request) (*http.Response, error) {
	response, err := r.RoundTripper.RoundTrip(req)
	if err != nil || response.StatusCode < http.StatusBadRequest {
		return response, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	for _, secret := range r.secrets {
		body = bytes.ReplaceAll(body, secret, []byte("[redacted]"))
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return response, nil
}

// WrappedRoundTripper lets idle connections be closed through r.
func (r *redactor) WrappedRoundTripper() http.RoundTripper { return r.RoundTripper }
