package register

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// tokenPatience is how long the member's control plane may take to fill a Secret with a token, or to know what it has just
// been told.
const tokenPatience = 20 * time.Second

// token is a credential of the identity. A token without end lives in a Secret of the member.
type token struct {
	value  string
	secret *unstructured.Unstructured // nil where it ends by itself
}

// newToken obtains a token that is another than those before.
func (m *member) newToken(ctx context.Context) (token, error) {
	client, err := kubernetes.NewForConfig(m.Member)
	if err != nil {
		return token{}, err
	}
	if m.TokenDuration > 0 {
		return m.requestToken(ctx, client)
	}
	return m.createToken(ctx, client)
}

func (m *member) requestToken(ctx context.Context, client kubernetes.Interface) (token, error) {
	seconds := int64(m.TokenDuration / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	granted, err := client.CoreV1().ServiceAccounts(m.MemberNamespace).CreateToken(ctx, m.ServiceAccount, request, metav1.CreateOptions{})
	if err != nil {
		return token{}, inMember("ask the member for a token", err)
	}
	m.say("member: token until %s", granted.Status.ExpirationTimestamp.UTC().Format(time.RFC3339))
	return token{value: granted.Status.Token}, nil
}

func (m *member) createToken(ctx context.Context, client kubernetes.Interface) (token, error) {
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "type": string(corev1.SecretTypeServiceAccountToken)}}
	object.SetNamespace(m.MemberNamespace)
	object.SetGenerateName(m.ServiceAccount + "-")
	object.SetAnnotations(map[string]string{corev1.ServiceAccountNameKey: m.ServiceAccount})
	m.mark(object)
	created, err := m.resource(object).Create(ctx, object, metav1.CreateOptions{FieldManager: fieldManager})
	if err != nil {
		return token{}, inMember("create a Secret for the token in the member", err)
	}
	var value string
	err = wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, tokenPatience, true, func(ctx context.Context) (bool, error) {
		secret, err := client.CoreV1().Secrets(m.MemberNamespace).Get(ctx, created.GetName(), metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		value = string(secret.Data[corev1.ServiceAccountTokenKey])
		return value != "", nil
	})
	switch {
	case ctx.Err() != nil:
		return token{}, ctx.Err()
	case wait.Interrupted(err):
		return token{}, fmt.Errorf("the member put no token into %s within %s: some clusters give none without an end; ask for one with --token-duration, such as 2160h", nameOf(created), tokenPatience)
	case err != nil:
		return token{}, fmt.Errorf("read the token in %s of the member: %w", nameOf(created), err)
	}
	m.say("member: %s created, with a token that lasts until that is deleted", nameOf(created))
	return token{value: value, secret: created}, nil
}
