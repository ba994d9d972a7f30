package access

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"fanout/pkg/fanout/derive"
)

// hub is asked for reviews.
type hub struct {
	kube  kubernetes.Interface
	slots chan struct{}
}

const (
	// reviewsAtOnce is how many reviews the hub is asked for at the same time, and reviewTime how long one may take.
	reviewsAtOnce = 16
	reviewTime    = 10 * time.Second
)

func newHub(kube kubernetes.Interface) *hub { return &hub{kube, make(chan struct{}, reviewsAtOnce)} }

// begin waits until one more review may be asked for.
func (h *hub) begin(ctx context.Context) (reviewing context.Context, end func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, reviewTime)
	select {
	case h.slots <- struct{}{}:
		return ctx, func() { <-h.slots; cancel() }, nil
	case <-ctx.Done():
		cancel()
		return nil, nil, errors.New("too many reviews are under way")
	}
}

// whose returns whose token that is, nil where the hub does not take it.
func (h *hub) whose(ctx context.Context, token string) (*authenticationv1.UserInfo, error) {
	ctx, end, err := h.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	answer, err := h.kube.AuthenticationV1().TokenReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("ask the hub whose token it is: %w", err)
	}
	if !answer.Status.Authenticated || answer.Status.User.Username == "" {
		return nil, nil
	}
	return &answer.Status.User, nil
}

// may tells whether user may get the Canaries of a namespace, or of all where that is empty.
func (h *hub) may(ctx context.Context, user *authenticationv1.UserInfo, namespace string) (bool, error) {
	ctx, end, err := h.begin(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: map[string]authorizationv1.ExtraValue{},
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: "get", Group: derive.Canaries.Group, Version: derive.Canaries.Version, Resource: derive.Canaries.Resource, Namespace: namespace,
		},
	}}
	for key, value := range user.Extra {
		review.Spec.Extra[key] = authorizationv1.ExtraValue(value)
	}
	answer, err := h.kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("ask the hub what %q may: %w", user.Username, err)
	}
	return answer.Status.Allowed && !answer.Status.Denied, nil
}

// digest is by what something is remembered that is not to be kept itself.
type digest [sha256.Size]byte

func digestOf(user *authenticationv1.UserInfo) digest {
	text, _ := json.Marshal(user) // it holds nothing that can't be marshaled
	return sha256.Sum256(text)
}
