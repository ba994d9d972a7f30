package clusters

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
)

type endless struct{ given int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.given += int64(len(p))
	return len(p), nil
}

func (e *endless) Close() error { return nil }

type fixedAnswer struct {
	status int
	body   io.ReadCloser
}

func (a fixedAnswer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Body: a.body}, nil
}

func TestAnAnswerWithoutEndIsNotReadToItsEnd(t *testing.T) {
	for name, row := range map[string]struct {
		status int
		path   string
		limit  int64
	}{
		"an answer": {http.StatusOK, "/api", maxAnswer},
		"a watch":   {http.StatusOK, "/api?watch=true", maxAnswer},
		"a refusal": {http.StatusInternalServerError, "/api?watch=true", maxRefusal},
	} {
		t.Run(name, func(t *testing.T) {
			body := &endless{}
			req, _ := http.NewRequest(http.MethodGet, "https://member"+row.path, nil)
			response, err := bounded{fixedAnswer{row.status, body}}.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if read, err := io.Copy(io.Discard, response.Body); err == nil || !strings.Contains(err.Error(), "too long") || read != row.limit {
				t.Errorf("read %d bytes: %v", read, err)
			}
			if body.given != row.limit {
				t.Errorf("%d bytes were taken from the member", body.given)
			}
		})
	}
}

func TestAShortAnswerIsReadWhole(t *testing.T) {
	req, _ := http.NewRequest(http.MethodGet, "https://member/api", nil)
	response, err := bounded{fixedAnswer{http.StatusNotFound, io.NopCloser(strings.NewReader("not here"))}}.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(response.Body); err != nil || string(text) != "not here" {
		t.Errorf("%q, %v", text, err)
	}
}

// Client-go's own retry would keep a worker waiting; what the server says of it must not be lost.
func TestWhenToComeBackIsSaidInTheStatus(t *testing.T) {
	for name, row := range map[string]struct {
		code       int
		body       string
		retryAfter string
		seconds    int
		says       string
	}{
		"as priority and fairness does": {429, "Too many requests, please try again later.\n", "1", 1, "please try again later"},
		"in a Status":                   {429, `{"kind":"Status","status":"Failure","message":"later","reason":"TooManyRequests","code":429}`, "7", 7, "later"},
		"of a server that starts":       {503, "starting", "2", 2, "starting"},
		"never":                         {429, "no", "99999999999", math.MaxInt32, "no"},
		"as nobody understands":         {429, "no", "Wed, 21 Oct 2015 07:28:00 GMT", 0, "too many requests"},
		"not":                           {500, "no", "", 0, "no"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			member := serving(t, func(w http.ResponseWriter, _ *http.Request) {
				asked++
				if row.retryAfter != "" {
					w.Header().Set("Retry-After", row.retryAfter)
				}
				w.WriteHeader(row.code)
				fmt.Fprint(w, row.body)
			})
			client, _ := clientOver(t, connectTo(t, kubeconfigFor(member.URL, "token: secret-token", member.ca())))
			_, err := dynamic.New(client).Resource(namespaceResource).Get(t.Context(), "kube-system", metav1.GetOptions{})
			if seconds, _ := apierrors.SuggestsClientDelay(err); seconds != row.seconds || !strings.Contains(fmt.Sprint(err), row.says) {
				t.Errorf("come back in %d s: %v", seconds, err)
			}
			if row.code == http.StatusTooManyRequests && !apierrors.IsTooManyRequests(err) {
				t.Errorf("not what it was: %v", err)
			}
			if asked != 1 {
				t.Errorf("it was asked %d times", asked)
			}
		})
	}
}
