package register

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"fanout/docs/manifests"
	"fanout/pkg/fanout/derive"
)

// Register registers the member, or gives one that is registered a new credential. An error that is ErrNotConfirmed comes
// after all has been written.
func Register(ctx context.Context, o *Options) error {
	hub, m, err := connect(ctx, o)
	if err != nil {
		return err
	}
	at, err := addressOf(o.Member, o.Server)
	if err != nil {
		return err
	}
	if _, err := at.parsed(o.Agent, tokenPlaceholder); err != nil {
		return err
	}
	there, err := o.findSecret(ctx, hub)
	if err != nil {
		return err
	}
	if err := o.lookForCRD("hub", hub.Discovery()); err != nil {
		return err
	}
	if err := o.lookForCRD("member", m.discovery); err != nil {
		return err
	}
	i, err := newIdentity(o)
	if err != nil {
		return err
	}
	if err := m.apply(ctx, i.objects); err != nil {
		return err
	}
	if o.DryRun != DryRunNone {
		return m.wouldDo(ctx, hub, at, i)
	}

	token, err := m.newToken(ctx)
	if err != nil {
		return err
	}
	if err := m.prove(ctx, at, token.value); err != nil {
		return err
	}
	kubeconfig, err := at.kubeconfig(o.Agent, token.value)
	if err != nil {
		return err
	}
	if err := m.hand(ctx, hub, there, kubeconfig); err != nil {
		return err
	}
	wanted := i.objects
	if token.secret != nil {
		wanted = append(wanted, token.secret)
	}
	unwanted, err := m.unwanted(ctx, wanted)
	if err != nil {
		return err
	}
	return m.remove(ctx, unwanted)
}

// hand writes the Secret, and waits for what the controller says of it.
func (m *member) hand(ctx context.Context, hub kubernetes.Interface, there *corev1.Secret, kubeconfig []byte) error {
	if m.Wait == 0 {
		return m.writeSecret(ctx, hub, there, kubeconfig)
	}
	from, err := m.eventsFromNow(ctx, hub)
	if err != nil {
		return err
	}
	if err := m.writeSecret(ctx, hub, there, kubeconfig); err != nil {
		return err
	}
	return m.await(ctx, hub, from)
}

// wouldDo tells the rest of a dry run, in which there is no credential to prove.
func (m *member) wouldDo(ctx context.Context, hub kubernetes.Interface, at address, i *identity) error {
	m.say("member: a new token for serviceaccount/%s/%s created", m.MemberNamespace, m.ServiceAccount)
	there, err := m.findSecret(ctx, hub)
	if err != nil {
		return err
	}
	kubeconfig, err := at.kubeconfig(m.Agent, tokenPlaceholder)
	if err != nil {
		return err
	}
	if err := m.writeSecret(ctx, hub, there, kubeconfig); err != nil {
		return err
	}
	unwanted, err := m.unwanted(ctx, i.objects)
	if err != nil {
		return err
	}
	for n := range unwanted {
		m.say("member: %s deleted", nameOf(&unwanted[n]))
	}
	return nil
}

// connect finds out which two clusters these are.
func connect(ctx context.Context, o *Options) (hub kubernetes.Interface, m *member, err error) {
	if hub, err = kubernetes.NewForConfig(o.Hub); err != nil {
		return nil, nil, fmt.Errorf("connect to the hub: %w", err)
	}
	m = &member{Options: o}
	if m.hubID, err = idOf(ctx, hub); err != nil {
		return nil, nil, o.inHub("ask the hub for its ID, the UID of its namespace kube-system", err)
	}
	if m.client, err = dynamic.NewForConfig(o.Member); err != nil {
		return nil, nil, fmt.Errorf("connect to the member: %w", err)
	}
	client, err := kubernetes.NewForConfig(o.Member)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the member: %w", err)
	}
	m.discovery = client.Discovery()
	id, err := idOf(ctx, client)
	if err != nil {
		return nil, nil, inMember("ask the member for its ID, the UID of its namespace kube-system", err)
	}
	if id == m.hubID {
		return nil, nil, fmt.Errorf("the member is the hub itself (ID %s): see --member-context; checks for the hub are selected by the agent %q, without registration", id, derive.LocalAgent)
	}
	o.say("hub: %s (ID %s); member: %s (ID %s)", o.Hub.Host, m.hubID, o.Member.Host, id)
	return hub, m, nil
}

func idOf(ctx context.Context, client kubernetes.Interface) (string, error) {
	namespace, err := client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	return string(namespace.UID), nil
}

// lookForCRD warns where a cluster knows no Canary yet.
func (o *Options) lookForCRD(where string, cluster discovery.ServerResourcesInterface) error {
	served, err := cluster.ServerResourcesForGroupVersion(derive.Canaries.GroupVersion().String())
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("look for the Canary CRD in the %s: %w", where, err)
	}
	if err != nil || !slices.ContainsFunc(served.APIResources, func(r metav1.APIResource) bool { return r.Name == derive.Canaries.Resource }) {
		o.warn("the %s has no Canary CRD, which comes with canary-checker: install that there. What is to be fanned out waits until then.", where)
	}
	return nil
}

// Manifests returns what Register would apply: the member's objects, and the hub's Secret with TOKEN in the place of the
// credential, which only the member can give.
func Manifests(o *Options) (member []*unstructured.Unstructured, hub *corev1.Secret, err error) {
	i, err := newIdentity(o)
	if err != nil {
		return nil, nil, err
	}
	member = i.objects
	if o.TokenDuration == 0 {
		for _, object := range manifests.Member() {
			if object.GetKind() == "Secret" {
				object.SetNamespace(o.MemberNamespace)
				object.SetName(o.ServiceAccount)
				object.SetAnnotations(map[string]string{"kubernetes.io/service-account.name": o.ServiceAccount})
				member = append(member, object)
			}
		}
	}
	at, err := addressOf(o.Member, o.Server)
	if err != nil {
		return nil, nil, err
	}
	kubeconfig, err := at.kubeconfig(o.Agent, tokenPlaceholder)
	if err != nil {
		return nil, nil, err
	}
	hub = o.registration(nil)
	hub.Data, hub.StringData = nil, map[string]string{"kubeconfig": string(kubeconfig)}
	return member, hub, nil
}

// tokenPlaceholder stands where a credential will.
const tokenPlaceholder = "TOKEN"
