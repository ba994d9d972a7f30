package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/klog/v2"

	"fanout/pkg/api"
)

// Knower knows who sent a request: nil where it can't tell, an error where it could not ask.
type Knower interface {
	Who(*http.Request) (*authenticationv1.UserInfo, error)
}

// Gate lets through who may see something, to what answers him. Close it.
type Gate struct {
	logger  klog.Logger
	knowers []Knower
	rights  *Rights
	views   *views
	open    atomic.Int32
	failing rate.Sometimes
}

const (
	// holds is how long what was found out at its beginning holds for a request that goes on, as an open page's does: that asks again by itself.
	holds = 2 * time.Minute
	// maxOpen is how many requests may be under way.
	maxOpen = 2000
	// bodyTime is how long a body is waited for that nobody wants.
	bodyTime = time.Second
)

// NewGate returns one that asks each of the knowers who it is, and serves source as rights say.
func NewGate(logger klog.Logger, source api.Source, rights *Rights, serving Serving, knowers ...Knower) *Gate {
	return &Gate{logger: logger, knowers: knowers, rights: rights, views: newViews(source, serving), failing: rate.Sometimes{Interval: 10 * time.Second}}
}

// Close ends all that is open.
func (g *Gate) Close() { g.views.close() }

// ServeHTTP implements http.Handler.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer g.open.Add(-1)
	if g.open.Add(1) > maxOpen {
		refuse(w, r, http.StatusServiceUnavailable, "too many requests are under way")
		return
	}
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // where there is none, the server's own holds
		refuse(w, r, http.StatusBadRequest, "nothing can be sent here")
		return
	}
	user, err := g.who(r)
	switch {
	case err != nil:
		g.fail(w, r, err, "the hub could not be asked who you are")
		return
	case user == nil:
		w.Header().Set("WWW-Authenticate", `Bearer realm="fanout"`)
		refuse(w, r, http.StatusUnauthorized, "it is not known who you are: send a bearer token that the hub takes, such as one of 'kubectl create token', or come by the proxy in front")
		return
	}
	sight, err := g.rights.Of(r.Context(), user)
	switch {
	case errors.Is(err, api.ErrNotKnown):
		refuse(w, r, http.StatusServiceUnavailable, err.Error())
		return
	case err != nil:
		g.fail(w, r, err, "the hub could not be asked what you may see")
		return
	case sight.IsNone():
		refuse(w, r, http.StatusForbidden, fmt.Sprintf("%q may get canaries.canaries.flanksource.com in no namespace that has any with an agentSelector: ask for that right in yours", user.Username))
		return
	}
	view, done, err := g.views.of(sight)
	if err != nil {
		w.Header().Set("Retry-After", "60")
		refuse(w, r, http.StatusServiceUnavailable, err.Error())
		return
	}
	defer done()
	ctx, cancel := context.WithTimeout(r.Context(), holds)
	defer cancel()
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	view.ServeHTTP(w, r.WithContext(ctx))
}

// who returns who sent r, nil where that is not known.
func (g *Gate) who(r *http.Request) (*authenticationv1.UserInfo, error) {
	for _, knower := range g.knowers {
		if user, err := knower.Who(r); user != nil || err != nil {
			return user, err
		}
	}
	return nil, nil
}

// fail refuses since the hub could not be asked, which is the operator's to mend.
func (g *Gate) fail(w http.ResponseWriter, r *http.Request, err error, text string) {
	if r.Context().Err() == nil {
		g.failing.Do(func() {
			g.logger.Error(err, "Who asks for the page or the API can't be let in; is there the right to create tokenreviews and subjectaccessreviews (docs/manifests/hub-page.yaml)?")
		})
	}
	refuse(w, r, http.StatusServiceUnavailable, text)
}

// refuse answers in the way of what was asked for.
func refuse(w http.ResponseWriter, r *http.Request, code int, text string) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		api.Refuse(w, code, text)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, text, code) // as plain text, which is never taken for anything else
}
