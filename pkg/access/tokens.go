package access

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/kubernetes"
)

const (
	// tokenTime is how long the hub's word about a token holds, and maxTokens of how many it is remembered.
	tokenTime = 10 * time.Second
	maxTokens = 4096
)

// Tokens knows who asks by the bearer token, which the hub reviews.
type Tokens struct {
	hub   *hub
	known *cache.LRUExpireCache // by digest: *authenticationv1.UserInfo, nil where the hub does not take it
}

// NewTokens returns what asks that hub.
func NewTokens(kube kubernetes.Interface) *Tokens {
	return &Tokens{newHub(kube), cache.NewLRUExpireCache(maxTokens)}
}

// Who implements Knower.
func (t *Tokens) Who(r *http.Request) (*authenticationv1.UserInfo, error) {
	scheme, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	if token = strings.TrimSpace(token); token == "" || !strings.EqualFold(scheme, "Bearer") {
		return nil, nil
	}
	key := digest(sha256.Sum256([]byte(token)))
	if known, ok := t.known.Get(key); ok {
		return known.(*authenticationv1.UserInfo), nil
	}
	user, err := t.hub.whose(r.Context(), token)
	if err != nil {
		return nil, err
	}
	t.known.Add(key, user, tokenTime)
	return user, nil
}
