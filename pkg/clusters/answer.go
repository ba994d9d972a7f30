package clusters

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// How much of one answer is read. A list of thousands of Canaries takes some tens of megabytes. A watch that has brought as
// much begins anew with a list: what a member says stands there, and is remembered, does not grow for ever.
const (
	maxAnswer  = 256 << 20
	maxRefusal = 1 << 20
)

// bounded keeps a member from filling fanout's memory, and its workers' time.
type bounded struct{ http.RoundTripper }

// RoundTrip returns an answer whose body ends with an error where it is too long.
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= http.StatusBadRequest {
		response.Body = &boundedBody{ReadCloser: response.Body, left: maxRefusal}
		return withoutRetry(response)
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: maxAnswer}
	return response, nil
}

// WrappedRoundTripper lets idle connections be closed through b.
func (b bounded) WrappedRoundTripper() http.RoundTripper { return b.RoundTripper }

// withoutRetry keeps client-go from trying again by itself, as it does up to ten times where a server says when to come
// back: in a worker's place, and within one request's deadline, so that a timeout is all that is heard of it. The same is
// said in the Status instead, from where it becomes the queue's delay.
func withoutRetry(response *http.Response) (*http.Response, error) {
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil {
		return response, nil
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	var status metav1.Status
	if json.Unmarshal(body, &status) != nil || status.Kind != "Status" {
		status = metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
			Code: int32(response.StatusCode), Message: strings.TrimSpace(string(body)),
		}
		if response.StatusCode == http.StatusTooManyRequests {
			status.Reason = metav1.StatusReasonTooManyRequests
		}
	}
	if status.Details == nil {
		status.Details = &metav1.StatusDetails{}
	}
	status.Details.RetryAfterSeconds = int32(min(max(seconds, 0), math.MaxInt32))
	if body, err = json.Marshal(status); err != nil {
		return nil, err
	}
	response.Header.Del("Retry-After")
	response.Header.Set("Content-Type", "application/json")
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return response, nil
}

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
