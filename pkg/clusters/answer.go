package clusters

import (
	"fmt"
	"io"
	"net/http"
)

// How much of one answer is read. A list of thousands of Canaries takes some tens of megabytes. A watch goes on for as
// long as it likes; client-go bounds each of its events.
const (
	maxAnswer  = 256 << 20
	maxRefusal = 1 << 20
)

// bounded keeps a member from filling fanout's memory.
type bounded struct{ http.RoundTripper }

// RoundTrip returns an answer whose body ends with an error where it is too long.
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(req)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode >= http.StatusBadRequest:
		response.Body = &boundedBody{ReadCloser: response.Body, left: maxRefusal}
	case req.URL.Query().Get("watch") == "":
		response.Body = &boundedBody{ReadCloser: response.Body, left: maxAnswer}
	}
	return response, nil
}

// WrappedRoundTripper lets idle connections be closed through b.
func (b bounded) WrappedRoundTripper() http.RoundTripper { return b.RoundTripper }

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the member's answer is too long to be read")
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
