package register

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/lease"
)

// ErrNotConfirmedByUser says that whoever was asked did not agree, so that nothing was done.
var ErrNotConfirmedByUser = errors.New("not confirmed, so nothing was done: answer yes, or give --yes")

// Leaving says what else Deregister does.
type Leaving struct {
	// Keep leaves in the member what was put there.
	Keep bool
	// Confirm is asked before anything is changed, nil where that is agreed already.
	Confirm func() bool
}

// Deregister deletes the member's Secret, waits until the controller has cleaned the member and let the Secret go, and
// removes the identity from the member if o.Member is given. An error that is ErrNotConfirmed says what is left.
func Deregister(ctx context.Context, o *Options, how Leaving) error {
	hub, err := kubernetes.NewForConfig(o.Hub)
	if err != nil {
		return fmt.Errorf("connect to the hub: %w", err)
	}
	hubID, err := idOf(ctx, hub)
	if err != nil {
		return o.inHub("ask the hub for its ID, the UID of its namespace kube-system", err)
	}
	m := &member{Options: o, hubID: hubID}
	if o.Member != nil {
		if m.client, err = dynamic.NewForConfig(o.Member); err != nil {
			return fmt.Errorf("connect to the member: %w", err)
		}
	}
	registered, err := o.findRegistration(ctx, hub)
	if err != nil {
		return err
	}
	if err := m.announce(ctx, hub, registered, how.Keep); err != nil {
		return err
	}
	if how.Confirm != nil && !how.Confirm() {
		return ErrNotConfirmedByUser
	}
	if err := m.deleteSecret(ctx, hub, registered, how.Keep); err != nil || m.client == nil {
		return err
	}
	unwanted, err := m.unwanted(ctx, nil)
	if err != nil {
		return err
	}
	return m.remove(ctx, unwanted)
}

// findRegistration returns the Secret that registers the agent, if it is fanout's own to delete.
func (o *Options) findRegistration(ctx context.Context, hub kubernetes.Interface) (clusters.Registration, error) {
	list, err := hub.CoreV1().Secrets(o.ClusterNamespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return clusters.Registration{}, o.inHub(fmt.Sprintf("list the Secrets in the hub's namespace %s", o.ClusterNamespace), err)
	}
	var names []string
	for _, registered := range allFormats.Registrations(list.Items) {
		switch {
		case registered.Agent == o.Agent && registered.Format != clusters.Native:
			return clusters.Registration{}, fmt.Errorf("%s is registered by secret/%s, which is kept by another tool (format %s): remove the cluster there, and fanout cleans it",
				o.Agent, registered.Secret.Name, registered.Format)
		case registered.Secret.Name == o.Agent:
			return registered, nil
		case registered.Agent != "":
			names = append(names, registered.Agent)
		}
	}
	return clusters.Registration{}, fmt.Errorf("no Secret in the hub's namespace %s registers %q; registered are: %q", o.ClusterNamespace, o.Agent, names)
}

// announce shows what will be removed.
func (m *member) announce(ctx context.Context, hub kubernetes.Interface, registered clusters.Registration, keep bool) error {
	m.say("hub: secret/%s in namespace %s goes", m.Agent, m.ClusterNamespace)
	count, err := m.countCopies(ctx, registered)
	switch {
	case keep:
		m.say("member: the Canaries that fanout put there stay (--keep)")
	case err != nil:
		m.say("member: the Canaries that fanout put there go; how many can't be seen from here: %v", err)
	default:
		m.say("member: %d Canaries that fanout put there go", count)
	}
	if m.client != nil {
		unwanted, err := m.unwanted(ctx, nil)
		if err != nil {
			return err
		}
		for i := range unwanted {
			m.say("member: %s goes", nameOf(&unwanted[i]))
		}
	} else {
		m.say("member: the identity that fanout has there stays; to have it removed as well, say which cluster it is, with --member-context")
	}
	runs, _, err := lease.Holder(ctx, hub, m.ClusterNamespace, m.LeaseName, time.Now())
	if err == nil && runs == "" {
		m.warn("nobody holds the Lease %s/%s, so no controller seems to run that would clean the member: start it, or let the Secret go by fanout release", m.ClusterNamespace, m.LeaseName)
	}
	return nil
}

// countCopies counts what this hub has put into the member, as its person sees it or as fanout does.
func (m *member) countCopies(ctx context.Context, registered clusters.Registration) (int, error) {
	client := m.client
	if client == nil {
		if registered.Err != nil {
			return 0, registered.Err
		}
		reached, err := clusters.Reach(ctx, m.Agent, registered.Config, m.UserAgent, m.Timeout)
		if err != nil {
			return 0, err
		}
		defer reached.Close()
		client = reached.Client
	}
	list, err := client.Resource(derive.Canaries).List(ctx, metav1.ListOptions{LabelSelector: derive.LabelHub + "=" + m.hubID})
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return len(list.Items), nil
}

// deleteSecret deletes the Secret and waits until it is gone.
func (m *member) deleteSecret(ctx context.Context, hub kubernetes.Interface, registered clusters.Registration, keep bool) error {
	secrets := hub.CoreV1().Secrets(m.ClusterNamespace)
	from, err := m.eventsFromNow(ctx, hub)
	if err != nil {
		return err
	}
	if keep {
		patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, clusters.AnnotationOnDeregister, clusters.OnDeregisterKeep)
		if _, err := secrets.Patch(ctx, m.Agent, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: fieldManager}); err != nil {
			return m.inHub(fmt.Sprintf("annotate secret/%s in the hub", m.Agent), err)
		}
	}
	uid := registered.Secret.UID
	err = secrets.Delete(ctx, m.Agent, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	if err != nil && !apierrors.IsNotFound(err) {
		return m.inHub(fmt.Sprintf("delete secret/%s in the hub", m.Agent), err)
	}
	m.say("hub: secret/%s is being deleted", m.Agent)
	if m.Wait == 0 {
		return nil
	}
	return m.awaitGone(ctx, hub, uid, from)
}

// awaitGone tells what the controller says until the Secret is gone.
func (m *member) awaitGone(ctx context.Context, hub kubernetes.Interface, uid types.UID, from *events) error {
	bounded, cancel := context.WithTimeout(ctx, m.Wait)
	defer cancel()
	left := error(nil)
	listening, stop := context.WithCancel(bounded)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		_ = from.each(listening, func(event *corev1.Event) (bool, error) {
			m.say("hub: %s: %s", event.Reason, event.Message)
			if event.Reason == "CleanupTimedOut" {
				left = fmt.Errorf("%w: %s", ErrNotConfirmed, event.Message)
			}
			return event.Reason == "Deregistered" || left != nil, nil
		})
	}()
	err := wait.PollUntilContextCancel(bounded, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		secret, err := hub.CoreV1().Secrets(m.ClusterNamespace).Get(ctx, m.Agent, metav1.GetOptions{})
		return apierrors.IsNotFound(err) || err == nil && secret.UID != uid, nil
	})
	if err == nil { // the last word about it was written before the Secret was let go, and may still be on its way
		select {
		case <-heard:
		case <-time.After(lastWord):
		}
	}
	stop()
	<-heard
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: secret/%s is being deleted all the same, and the member cleaned", m.Agent)
	case err != nil:
		return fmt.Errorf("%w within %s: secret/%s is still there, until the member is clean or the controller's --deregister-timeout is over. Run this again to go on waiting; see kubectl -n %s get events",
			ErrNotConfirmed, m.Wait, m.Agent, m.ClusterNamespace)
	}
	m.say("hub: secret/%s is gone", m.Agent)
	return left
}

// lastWord is how long the controller's last Event is waited for once the Secret is gone. There is none for a member that
// never worked.
const lastWord = 2 * time.Second
