package access

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/kubernetes"

	"fanout/pkg/api"
)

const (
	// rightsTime is how long the hub's word about what somebody may see holds, and maxUsers of how many it is remembered.
	rightsTime = 30 * time.Second
	maxUsers   = 4096
	// namespacesTime is how long a list of the namespaces with parents serves.
	namespacesTime = 5 * time.Second
)

// Sight is of which namespaces somebody may see the Canaries: of all, or of those, in their order.
type Sight struct {
	All        bool
	Namespaces []string
}

// IsNone tells whether there is nothing to be seen.
func (s Sight) IsNone() bool { return !s.All && len(s.Namespaces) == 0 }

// key tells sights apart.
func (s Sight) key() string {
	if s.All {
		return "*" // no namespace's name
	}
	return strings.Join(s.Namespaces, "/")
}

// Rights knows what somebody may see, as the hub says.
type Rights struct {
	hub    *hub
	source api.Source
	known  *cache.LRUExpireCache // by digest: Sight

	mu         sync.Mutex
	namespaces []string
	listed     time.Time
}

// NewRights returns what asks that hub, about the namespaces in which source knows parents.
func NewRights(kube kubernetes.Interface, source api.Source) *Rights {
	return &Rights{hub: newHub(kube), source: source, known: cache.NewLRUExpireCache(maxUsers)}
}

// Of returns what user may see.
func (r *Rights) Of(ctx context.Context, user *authenticationv1.UserInfo) (Sight, error) {
	key := digestOf(user)
	if known, ok := r.known.Get(key); ok {
		return known.(Sight), nil
	}
	sight, err := r.ask(ctx, user)
	if err != nil {
		return Sight{}, err
	}
	r.known.Add(key, sight, rightsTime)
	return sight, nil
}

// ask asks for all namespaces at once, and for each of them where that is not allowed.
func (r *Rights) ask(ctx context.Context, user *authenticationv1.UserInfo) (Sight, error) {
	all, err := r.hub.may(ctx, user, "")
	if err != nil || all {
		return Sight{All: all}, err
	}
	namespaces, err := r.withParents(ctx)
	if err != nil {
		return Sight{}, err
	}
	allowed := make([]bool, len(namespaces))
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(reviewsAtOnce / 2) // some are left for others
	for i, namespace := range namespaces {
		asking.Go(func() (err error) {
			allowed[i], err = r.hub.may(ctx, user, namespace)
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		return Sight{}, err
	}
	var sight Sight
	for i, namespace := range namespaces {
		if allowed[i] {
			sight.Namespaces = append(sight.Namespaces, namespace)
		}
	}
	return sight, nil
}

// withParents returns the namespaces that hold parents, in their order.
func (r *Rights) withParents(ctx context.Context) ([]string, error) {
	r.mu.Lock()
	namespaces, listed := r.namespaces, r.listed
	r.mu.Unlock()
	now := time.Now()
	if now.Sub(listed) < namespacesTime {
		return namespaces, nil
	}
	answer, err := r.source.Canaries(ctx, "")
	if err != nil {
		return nil, err
	}
	namespaces = nil
	for _, canary := range answer.Items { // by namespace
		namespaces = append(namespaces, canary.Namespace)
	}
	namespaces = slices.Compact(namespaces)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.namespaces, r.listed = namespaces, now
	return namespaces, nil
}
