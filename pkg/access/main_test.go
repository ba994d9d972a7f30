package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"

	"fanout/pkg/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// aHub takes the tokens of some users, who may get the Canaries of some namespaces, or of all ("").
type aHub struct {
	mu      sync.Mutex
	rights  map[string][]string // by user; a user's token is "token-of-" and his name
	err     error               // what it answers instead
	tokens  int                 // reviews of them
	reviews int                 // of rights
}

func (h *aHub) client() *fake.Clientset {
	client := fake.NewClientset()
	client.PrependReactor("create", "tokenreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.tokens++
		review := action.(clienttesting.CreateAction).GetObject().(*authenticationv1.TokenReview)
		name, isOne := strings.CutPrefix(review.Spec.Token, "token-of-")
		if _, known := h.rights[name]; isOne && known {
			review.Status = authenticationv1.TokenReviewStatus{Authenticated: true, User: authenticationv1.UserInfo{Username: name, Groups: []string{"team-of-" + name}}}
		}
		return true, review, h.err
	})
	client.PrependReactor("create", "subjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.reviews++
		review := action.(clienttesting.CreateAction).GetObject().(*authorizationv1.SubjectAccessReview)
		of := review.Spec.ResourceAttributes
		isRight := of.Verb == "get" && of.Group == "canaries.flanksource.com" && of.Resource == "canaries" && slices.Contains(review.Spec.Groups, "team-of-"+review.Spec.User)
		review.Status.Allowed = isRight && slices.Contains(h.rights[review.Spec.User], of.Namespace)
		return true, review, h.err
	})
	return client
}

func (h *aHub) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

func (h *aHub) counted() (tokens, reviews int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tokens, h.reviews
}

// canaries is a Source that knows a Canary in each of these namespaces.
type canaries []string

func (c canaries) Canaries(context.Context, string) (api.Canaries, error) {
	var answer api.Canaries
	for _, namespace := range c {
		answer.Items = append(answer.Items, api.Canary{Namespace: namespace, Name: "one"}, api.Canary{Namespace: namespace, Name: "two"})
	}
	if len(c) == 0 {
		return answer, fmt.Errorf("%w: this process stands by", api.ErrNotKnown)
	}
	return answer, nil
}

func (canaries) Agents(context.Context, ...string) (api.Agents, error) { return api.Agents{}, nil }
func (canaries) Canary(context.Context, string, string) (api.OneCanary, error) {
	return api.OneCanary{}, errors.New("nobody asks")
}
func (canaries) Find(context.Context, string, string, string) (api.OneFound, error) {
	return api.OneFound{}, errors.New("nobody asks")
}
func (canaries) Changed() <-chan struct{} { return nil }

// served counts what is made to serve, and answers with what may be seen. Of /events/ it answers until the request ends.
type served struct {
	mu          sync.Mutex
	made, ended int
}

func (s *served) serve(source api.Source) (http.Handler, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	end := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended++
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := source.Canaries(r.Context(), "")
		var seen []string
		for _, c := range answer.Items {
			seen = append(seen, c.Namespace+"/"+c.Name)
		}
		fmt.Fprintln(w, strings.Join(seen, " "), err)
		if r.URL.Path == "/events/" {
			<-r.Context().Done()
		}
	}), end
}

func (s *served) counted() (made, ended int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made, s.ended
}

// gate is one before some Canaries, to be asked as a user.
type gate struct {
	*Gate
	hub    *aHub
	served *served
}

func newGate(source api.Source, rights map[string][]string) *gate {
	g := &gate{hub: &aHub{rights: rights}, served: &served{}}
	client := g.hub.client()
	g.Gate = NewGate(klog.Background(), source, NewRights(client, source), g.served.serve, NewTokens(client))
	return g
}

func (g *gate) ask(ctx context.Context, path, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

// expect asks for the page with a user's token, and complains where the answer is another.
func (g *gate) expect(t *testing.T, user string, code int, says string) {
	t.Helper()
	if w := g.ask(t.Context(), "/", "Bearer token-of-"+user); w.Code != code || !strings.Contains(w.Body.String(), says) {
		t.Errorf("%s is answered %d, %s; not %d, %s", user, w.Code, w.Body, code, says)
	}
}
