package clusters

import (
	"io"
	"net/http"
	"strings"
	"testing"
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

// A watch has no end, and is bounded by the event.
func TestAWatchGoesOn(t *testing.T) {
	body := &endless{}
	req, _ := http.NewRequest(http.MethodGet, "https://member/api?watch=true", nil)
	response, err := bounded{fixedAnswer{http.StatusOK, body}}.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if read, err := io.CopyN(io.Discard, response.Body, maxAnswer+1); err != nil {
		t.Errorf("read %d bytes: %v", read, err)
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
