package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/test/fixture"
)

// identityOf is the ServiceAccount that a test's members are registered with: control planes serve several tests.
func (w *world) identityOf() string { return "sa-" + w.canaries }

// command runs a command about a member as the administrator of both clusters.
func (w *world) command(t *testing.T, command, agent string, flags ...string) (code int, printed string) {
	t.Helper()
	return fixture.Run(t, w.hub.Kubeconfig, append([]string{command, agent, "--cluster-namespace", w.namespace}, flags...)...)
}

// registerFlags name the member and its address, which is a loopback address here and has to be said.
func (w *world) registerFlags(t *testing.T, agent string, flags ...string) []string {
	t.Helper()
	member := w.members[agent]
	return append([]string{
		"--member-kubeconfig", fixture.KubeconfigFile(t, member.Kubeconfig), "--server", member.Config.Host,
		"--service-account", w.identityOf(), "--token-duration", "1h",
	}, flags...)
}

func (w *world) mustRegister(t *testing.T, agent string, flags ...string) string {
	t.Helper()
	code, printed := w.command(t, "register", agent, w.registerFlags(t, agent, flags...)...)
	if code != 0 {
		t.Fatalf("register %s: code %d\n%s", agent, code, printed)
	}
	return printed
}

func mustSay(t *testing.T, printed string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(printed, part) {
			t.Errorf("it does not say %q:\n%s", part, printed)
		}
	}
}

func (w *world) secret(t *testing.T, name string) *corev1.Secret {
	t.Helper()
	secret, err := w.hub.Kube.CoreV1().Secrets(w.namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// One command registers, the same one again replaces the credential without a gap, and another takes it all back.
func TestRegisterCommand(t *testing.T) {
	w := newWorld(t)
	controller := w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*-prod"))

	printed := w.mustRegister(t, "eu-west-prod", "--labels", "tier=prod,region=eu")
	mustSay(t, printed, "member: serviceaccount/fanout-system/"+w.identityOf()+" created", "the credential works at "+w.members["eu-west-prod"].Config.Host,
		"member: all 8 rights are there", "hub: secret/eu-west-prod created", "hub: Connected: ")
	w.expectDerived(t, "eu-west-prod", "api-health")
	first := w.secret(t, "eu-west-prod")
	if first.Labels["tier"] != "prod" || first.Labels["region"] != "eu" || first.Annotations[clusters.AnnotationNamespaces] != "" {
		t.Errorf("labels %v, annotations %v", first.Labels, first.Annotations)
	}
	w.mayNoMoreThan(t, "eu-west-prod", first, documentedRights...)

	printed = w.mustRegister(t, "eu-west-prod", "--labels", "tier=test")
	mustSay(t, printed, "serviceaccount/fanout-system/"+w.identityOf()+" unchanged", "hub: secret/eu-west-prod configured", "hub: Renewed: ")
	second := w.secret(t, "eu-west-prod")
	if second.UID != first.UID || second.Labels["tier"] != "test" || second.Labels["region"] != "eu" || string(second.Data["kubeconfig"]) == string(first.Data["kubeconfig"]) {
		t.Errorf("a second registration made %v, labels %v", second.UID, second.Labels)
	}
	if got := controller.Metric(t, "fanout_members", "state", "Connected"); got != 1 {
		t.Errorf("%v members are connected", got)
	}

	code, printed := w.command(t, "deregister", "eu-west-prod", "--yes", "--member-kubeconfig", fixture.KubeconfigFile(t, w.members["eu-west-prod"].Kubeconfig))
	if code != 0 {
		t.Errorf("deregister: code %d\n%s", code, printed)
	}
	mustSay(t, printed, "secret/eu-west-prod in namespace "+w.namespace+" goes", "member: 1 Canaries that fanout put there go",
		"hub: Deregistered: ", "hub: secret/eu-west-prod is gone", "serviceaccount/fanout-system/"+w.identityOf()+" deleted")
	w.expectHolders(t, "api-health")
	w.expectNothingRegistered(t, "eu-west-prod")
	if code, printed := w.command(t, "deregister", "eu-west-prod", "--yes"); code != 1 || !strings.Contains(printed, `registers "eu-west-prod"`) {
		t.Errorf("deregistered once more: code %d\n%s", code, printed)
	}
}

// expectNothingRegistered looks for what registering makes in a member.
func (w *world) expectNothingRegistered(t *testing.T, agent string) {
	t.Helper()
	member := w.members[agent].Dynamic
	for _, resource := range []schema.GroupVersionResource{
		{Version: "v1", Resource: "serviceaccounts"}, {Version: "v1", Resource: "secrets"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"},
	} {
		list, err := member.Resource(resource).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range list.Items {
			if strings.HasPrefix(object.GetName(), w.identityOf()) {
				t.Errorf("%s holds the %s %s", agent, object.GetKind(), object.GetName())
			}
		}
	}
}

// documentedRights are those of docs/manifests/member.yaml.
var documentedRights = []string{
	"create canaries", "delete canaries", "get canaries", "list canaries", "patch canaries", "watch canaries",
	"create namespaces", "get namespaces kube-system",
}

// mayNoMoreThan holds the credential in a Secret to the rights, and to what everybody has who is authenticated.
func (w *world) mayNoMoreThan(t *testing.T, agent string, secret *corev1.Secret, want ...string) {
	t.Helper()
	may := rightsOf(t, fixture.ReadKubeconfig(t, secret.Data["kubeconfig"]), w.canaries)
	everybody := rightsOf(t, w.nobody(t, agent), w.canaries)
	may = slices.DeleteFunc(may, func(right string) bool { return slices.Contains(everybody, right) })
	slices.Sort(want)
	if err := fixture.Same("what the credential may do", may, want); err != nil {
		t.Error(err)
	}
}

// nobody is a ServiceAccount that nothing is granted to.
func (w *world) nobody(t *testing.T, agent string) *rest.Config {
	t.Helper()
	member := w.members[agent]
	accounts := member.Kube.CoreV1().ServiceAccounts(w.namespace)
	member.Namespace(t, w.namespace)
	account, err := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{GenerateName: "nobody-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	granted, err := accounts.CreateToken(t.Context(), account.Name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(member.Config)
	config.BearerToken = granted.Status.Token
	return config
}

// Only some namespaces: the rights end there, in the member, and the hub does not try elsewhere.
func TestRegisterForSomeNamespaces(t *testing.T) {
	w := newWorld(t)
	w.startFanout(t)
	elsewhere := fixture.Canary(w.canaries+"-other", "api-health", "*-prod")
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.hub.Apply(t, elsewhere)

	w.mustRegister(t, "eu-west-prod", "--namespaces", w.canaries)
	w.expectDerived(t, "eu-west-prod", "api-health")
	secret := w.secret(t, "eu-west-prod")
	w.mayNoMoreThan(t, "eu-west-prod", secret, "create canaries", "delete canaries", "get canaries", "list canaries", "patch canaries", "watch canaries", "get namespaces kube-system")
	others := rightsOf(t, fixture.ReadKubeconfig(t, secret.Data["kubeconfig"]), elsewhere.GetNamespace())
	if !slices.Contains(others, "list canaries") || slices.Contains(others, "create canaries") || slices.Contains(others, "delete canaries") {
		t.Errorf("in another namespace it may %q", others)
	}

	// It is not opened by forgetting the flag, and narrowed and opened by saying so.
	code, printed := w.command(t, "register", "eu-west-prod", w.registerFlags(t, "eu-west-prod")...)
	if code != 1 || !strings.Contains(printed, "--namespaces "+w.canaries+" to keep it so") {
		t.Errorf("without --namespaces: code %d\n%s", code, printed)
	}
	printed = w.mustRegister(t, "eu-west-prod", "--namespaces", "*")
	mustSay(t, printed, "rolebinding/"+w.canaries+"/"+w.identityOf()+"-member deleted", "clusterrole/"+w.identityOf()+"-member-namespaces deleted")
	w.expectHoldersIn(t, elsewhere.GetNamespace(), "api-health", "eu-west-prod")
	w.mayNoMoreThan(t, "eu-west-prod", w.secret(t, "eu-west-prod"), documentedRights...)
}

// rightsOf asks the server what a credential may do with named resources in a namespace.
func rightsOf(t *testing.T, config *rest.Config, namespace string) []string {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	review, err := client.AuthorizationV1().SelfSubjectRulesReviews().Create(t.Context(), &authorizationv1.SelfSubjectRulesReview{
		Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var may []string
	for _, rule := range review.Status.ResourceRules {
		for _, verb := range rule.Verbs {
			for _, resource := range rule.Resources {
				may = append(may, strings.TrimSpace(fmt.Sprintf("%s %s %s", verb, resource, strings.Join(rule.ResourceNames, ","))))
			}
		}
	}
	slices.Sort(may)
	return slices.Compact(may)
}

// A long-lived token is in a Secret that the member's controllers fill. There are none here, so the test does it.
func TestRegisterRotatesLongLivedTokens(t *testing.T) {
	w := newWorld(t)
	w.startFanout(t)
	member := w.members["eu-west-prod"].Kube
	fills, stop := context.WithCancel(t.Context())
	filled := make(chan struct{})
	go func() {
		defer close(filled)
		fillTokens(fills, member, w.identityOf())
	}()
	t.Cleanup(func() { stop(); <-filled })
	tokens := func() []string {
		list, err := member.CoreV1().Secrets("fanout-system").List(t.Context(), metav1.ListOptions{LabelSelector: derive.LabelHub})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, secret := range list.Items {
			names = append(names, secret.Name)
		}
		return names
	}

	printed := w.mustRegister(t, "eu-west-prod", "--token-duration", "0")
	first := tokens()
	if len(first) != 1 {
		t.Fatalf("the tokens are %q", first)
	}
	mustSay(t, printed, "secret/fanout-system/"+first[0]+" created, with a token that lasts until that is deleted")
	printed = w.mustRegister(t, "eu-west-prod", "--token-duration", "0")
	if second := tokens(); len(second) != 1 || second[0] == first[0] {
		t.Errorf("after a rotation the tokens are %q, and were %q", second, first)
	}
	mustSay(t, printed, "hub: Renewed: ", "secret/fanout-system/"+first[0]+" deleted")
	if strings.Index(printed, "hub: Renewed: ") > strings.Index(printed, first[0]+" deleted") {
		t.Errorf("the old token went before the new one worked:\n%s", printed)
	}
	w.mustRegister(t, "eu-west-prod", "--token-duration", "1h")
	if left := tokens(); len(left) != 0 {
		t.Errorf("with a token that ends by itself there are %q", left)
	}
}

func fillTokens(ctx context.Context, member kubernetes.Interface, account string) {
	for ctx.Err() == nil {
		list, err := member.CoreV1().Secrets("fanout-system").List(ctx, metav1.ListOptions{FieldSelector: "type=kubernetes.io/service-account-token"})
		if err != nil {
			continue
		}
		for _, secret := range list.Items {
			if secret.Annotations[corev1.ServiceAccountNameKey] != account || len(secret.Data) > 0 {
				continue
			}
			granted, err := member.CoreV1().ServiceAccounts("fanout-system").CreateToken(ctx, account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
			if err != nil {
				continue
			}
			secret.Data = map[string][]byte{corev1.ServiceAccountTokenKey: []byte(granted.Status.Token)}
			_, _ = member.CoreV1().Secrets("fanout-system").Update(ctx, &secret, metav1.UpdateOptions{})
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond): // it asks often, and waits for nothing
		}
	}
}

// A dry run says what a run would do, and nothing is different after it.
func TestRegisterDryRun(t *testing.T) {
	w := newWorld(t)
	for _, mode := range []string{"client", "server"} {
		printed := w.mustRegister(t, "eu-west-prod", "--dry-run", mode)
		mustSay(t, printed, "serviceaccount/fanout-system/"+w.identityOf()+" created ("+mode+" dry run)", "hub: secret/eu-west-prod created ("+mode+" dry run)")
		if list, err := w.hub.Kube.CoreV1().Secrets(w.namespace).List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) > 0 {
			t.Errorf("%s: the hub holds %v, %v", mode, list.Items, err)
		}
		w.expectNothingRegistered(t, "eu-west-prod")
	}
	printed := w.mustRegister(t, "eu-west-prod", "-o", "yaml", "--labels", "tier=prod")
	mustSay(t, printed, "kind: ServiceAccount", "name: "+w.identityOf(), "kind: ClusterRole", "token: TOKEN", "tier: prod", clusters.LabelSecretType+": cluster")
	w.expectNothingRegistered(t, "eu-west-prod")
}

// What deregistering has to say: what is kept, what is not agreed to, and what a held copy makes it wait for.
func TestDeregisterCommand(t *testing.T) {
	w := newWorld(t, "eu-west-prod", "us-east-prod")
	w.startFanout(t)
	w.hub.Apply(t, w.canary("api-health", "*-prod"))
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")

	code, printed := w.command(t, "deregister", "eu-west-prod") // with nobody at the keyboard
	if code != 1 || !strings.Contains(printed, "not confirmed") {
		t.Errorf("not confirmed: code %d\n%s", code, printed)
	}
	if w.secret(t, "eu-west-prod").DeletionTimestamp != nil {
		t.Error("it was deleted unasked")
	}
	code, printed = w.command(t, "deregister", "eu-west-prod", "--yes", "--keep")
	if code != 0 {
		t.Errorf("--keep: code %d\n%s", code, printed)
	}
	mustSay(t, printed, "stay (--keep)", "the identity that fanout has there stays", "secret/eu-west-prod is gone")
	w.expectHolders(t, "api-health", "eu-west-prod", "us-east-prod")

	hold := []byte(`{"metadata":{"finalizers":["test/hold"]}}`)
	if _, err := w.members["us-east-prod"].Canaries(w.canaries).Patch(t.Context(), "api-health", types.MergePatchType, hold, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	code, printed = w.command(t, "deregister", "us-east-prod", "--yes", "--wait", "1s")
	if code != 3 {
		t.Errorf("a held copy: code %d\n%s", code, printed)
	}
	mustSay(t, printed, "has not confirmed it within 1s", "secret/us-east-prod is still there", "Run this again")
	w.members["us-east-prod"].Patch(t, w.canaries, "api-health", `{"metadata":{"finalizers":null}}`)
	if code, printed = w.command(t, "deregister", "us-east-prod", "--yes"); code != 0 && !strings.Contains(printed, "no Secret in the hub's namespace") {
		t.Errorf("once more: code %d\n%s", code, printed)
	}
	w.expectSecretGone(t, "us-east-prod")
}
