package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	// answerTime is how long a Source may take for an answer, and writeTime how long whoever asked may take to read it.
	answerTime = time.Minute
	writeTime  = time.Minute
)

// NewHandler returns what serves the paths under /api/v1/ from source. It changes nothing, whatever is asked.
func NewHandler(source Source) http.Handler {
	mux := http.NewServeMux()
	serve := func(path string, answer func(context.Context, *http.Request) (any, error)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { respond(w, r, answer) })
	}
	serve("/api/v1/agents", func(ctx context.Context, r *http.Request) (any, error) {
		return source.Agents(ctx, r.URL.Query()["namespace"]...)
	})
	serve("/api/v1/canaries", func(ctx context.Context, r *http.Request) (any, error) {
		return source.Canaries(ctx, r.URL.Query().Get("namespace"))
	})
	serve("/api/v1/canaries/{namespace}/{name}", func(ctx context.Context, r *http.Request) (any, error) {
		return source.Canary(ctx, r.PathValue("namespace"), r.PathValue("name"))
	})
	serve("/api/v1/agents/{agent}/canaries/{namespace}/{name}", func(ctx context.Context, r *http.Request) (any, error) {
		return source.Find(ctx, r.PathValue("agent"), r.PathValue("namespace"), r.PathValue("name"))
	})
	serve("/", func(context.Context, *http.Request) (any, error) {
		return nil, fmt.Errorf("%w: there is nothing at this path; docs/api.md has those that there are", ErrNotFound)
	})
	return mux
}

// respond writes the answer, or the Problem that it comes to.
func respond(w http.ResponseWriter, r *http.Request, answer func(context.Context, *http.Request) (any, error)) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime + writeTime)) // where there is none, the server's own holds
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		Refuse(w, http.StatusMethodNotAllowed, "nothing can be changed here: the methods are GET and HEAD")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	told, err := answer(ctx, r)
	switch {
	case err == nil:
		write(w, http.StatusOK, told)
	case errors.Is(err, ErrNotFound):
		Refuse(w, http.StatusNotFound, err.Error())
	case errors.Is(err, ErrNotKnown):
		Refuse(w, http.StatusServiceUnavailable, err.Error())
	case ctx.Err() != nil:
		Refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("no answer within %s", answerTime))
	default:
		Refuse(w, http.StatusInternalServerError, err.Error())
	}
}

// Refuse answers with a Problem of that text.
func Refuse(w http.ResponseWriter, code int, text string) { write(w, code, Problem{Error: text}) }

// write writes value as JSON, which goes out whole or not at all.
func write(w http.ResponseWriter, code int, value any) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	body, err := json.Marshal(value)
	if err != nil {
		code, body = http.StatusInternalServerError, []byte(`{"error":"the answer is no JSON"}`)
	}
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n')) // whoever asked may be gone
}
