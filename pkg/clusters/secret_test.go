package clusters

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/pkg/clusters/kubeconfig"
)

var native = Formats{Native}

// aSecret registers a member.
func aSecret(edits ...func(*corev1.Secret)) *corev1.Secret {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: "eu-west-prod", Namespace: "fanout-system", UID: "uid", ResourceVersion: "1",
			Labels:        map[string]string{LabelSecretType: SecretTypeCluster, "region": "eu"},
			Annotations:   map[string]string{"note": "x"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
		},
		Data: map[string][]byte{
			KubeconfigKey: kubeconfigFor("https://10.0.0.1:6443", "token: secret-token", ""),
			"other":       []byte("x"),
		},
	}
	for _, edit := range edits {
		edit(secret)
	}
	return secret
}

func unlabelled(s *corev1.Secret)      { delete(s.Labels, LabelSecretType) }
func finalized(s *corev1.Secret)       { s.Finalizers = append(s.Finalizers, "other", Finalizer) }
func deleted(s *corev1.Secret)         { s.DeletionTimestamp = &metav1.Time{Time: monday} }
func withOtherType(s *corev1.Secret)   { s.Labels[LabelSecretType] = "Cluster" }
func withNoMetadata(s *corev1.Secret)  { s.Labels, s.Annotations = nil, nil }
func withOtherHolder(s *corev1.Secret) { s.Finalizers = []string{"other"} }

func TestWhatASecretSays(t *testing.T) {
	edits := func(all ...func(*corev1.Secret)) []func(*corev1.Secret) { return all }
	for _, row := range []struct {
		name                  string
		edits                 []func(*corev1.Secret)
		registration, leaving bool
	}{
		{"labelled", nil, true, false},
		{"labelled and held", edits(finalized), true, false},
		{"labelled and held by another", edits(withOtherHolder), true, false},
		{"labelled and deleted", edits(deleted), true, true},
		{"held and deleted", edits(finalized, deleted), true, true},
		{"held, and no longer labelled", edits(finalized, unlabelled), true, true},
		{"held, and labelled as something else", edits(finalized, withOtherType), true, true},
		{"not labelled", edits(unlabelled), false, true},
		{"labelled as something else", edits(withOtherType), false, true},
		{"not labelled at all", edits(withNoMetadata), false, true},
		{"not labelled, held by another", edits(unlabelled, withOtherHolder), false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			secret := aSecret(row.edits...)
			if got := native.isRegistration(secret); got != row.registration {
				t.Errorf("isRegistration: %t", got)
			}
			if got := native.isLeaving(secret); got != row.leaving {
				t.Errorf("isLeaving: %t", got)
			}
		})
	}
}

func TestConfigOf(t *testing.T) {
	config, err := native.configOf(aSecret())
	if err != nil || config.Server() != "https://10.0.0.1:6443" {
		t.Errorf("configOf: %v, %v", config, err)
	}
	for _, row := range []struct {
		name string
		edit func(*corev1.Secret)
		says string
	}{
		{"no data", func(s *corev1.Secret) { s.Data = nil }, `no key "kubeconfig"`},
		{"another key", func(s *corev1.Secret) { s.Data = map[string][]byte{"value": s.Data[KubeconfigKey]} }, `no key "kubeconfig"`},
		{"an empty kubeconfig", func(s *corev1.Secret) { s.Data[KubeconfigKey] = nil }, "kubeconfig refused"},
		{"no kubeconfig", func(s *corev1.Secret) { s.Data[KubeconfigKey] = []byte("secret-token") }, "kubeconfig refused"},
		{"an exec plugin", func(s *corev1.Secret) {
			s.Data[KubeconfigKey] = kubeconfigFor("https://10.0.0.1", "exec: {command: aws, args: [secret-token]}", "")
		}, "exec"},
		{"plain http", func(s *corev1.Secret) {
			s.Data[KubeconfigKey] = kubeconfigFor("http://10.0.0.1", "token: secret-token", "")
		}, "https"},
	} {
		t.Run(row.name, func(t *testing.T) {
			config, err := native.configOf(aSecret(row.edit))
			if config != nil || !errors.Is(err, errRefused) || StateOf(err) != Refused || !strings.Contains(err.Error(), row.says) {
				t.Errorf("configOf: %v, %v", config, err)
			}
			if err != nil && strings.Contains(err.Error(), "secret-token") {
				t.Errorf("the error holds a credential: %v", err)
			}
		})
	}
	var refused *kubeconfig.RefusedError
	if _, err := native.configOf(aSecret(func(s *corev1.Secret) { s.Data[KubeconfigKey] = nil })); !errors.As(err, &refused) {
		t.Errorf("the faults are lost: %v", err)
	}
}

func TestNamespacesOf(t *testing.T) {
	annotated := func(text string) *corev1.Secret {
		return aSecret(func(s *corev1.Secret) { s.Annotations = map[string]string{AnnotationNamespaces: text} })
	}
	for _, row := range []struct {
		secret   *corev1.Secret
		in, out  string
		mistaken string
	}{
		{secret: aSecret(), in: "payments"},
		{secret: annotated("team-*, !team-x"), in: "team-a", out: "team-x"},
		{secret: annotated("monitoring"), in: "monitoring", out: "payments"},
		{secret: annotated(""), out: "payments", mistaken: "blank"},
		{secret: annotated("team_*"), out: "team-a", mistaken: "namespaces[0]"},
	} {
		namespaces, err := namespacesOf(row.secret)
		if row.in != "" && !namespaces.Matches(row.in) || row.out != "" && namespaces.Matches(row.out) {
			t.Errorf("%v: takes %q: %t, takes %q: %t", row.secret.Annotations, row.in, namespaces.Matches(row.in), row.out, namespaces.Matches(row.out))
		}
		if row.mistaken == "" && err != nil || row.mistaken != "" && (!errors.Is(err, errRefused) || !strings.Contains(err.Error(), row.mistaken)) {
			t.Errorf("%v: %v", row.secret.Annotations, err)
		}
	}
	if !sameNamespaces(annotated("a"), annotated("a")) || sameNamespaces(annotated("a"), annotated("b")) || sameNamespaces(aSecret(), annotated("")) {
		t.Error("sameNamespaces is mistaken")
	}
}

func TestTrimSecret(t *testing.T) {
	without := func(fields ...func(*corev1.Secret)) func(*corev1.Secret) {
		return func(s *corev1.Secret) {
			for _, field := range fields {
				field(s)
			}
		}
	}
	managedFields := func(s *corev1.Secret) { s.ManagedFields = nil }
	otherKeys := func(s *corev1.Secret) { delete(s.Data, "other") }
	everything := func(s *corev1.Secret) { s.Data, s.Annotations = nil, nil }

	for _, row := range []struct {
		name string
		edit func(*corev1.Secret)
		left func(*corev1.Secret)
	}{
		{"a registration", func(*corev1.Secret) {}, without(managedFields, otherKeys)},
		{"one that was", without(finalized, unlabelled), without(managedFields, otherKeys)},
		{"one that is being deleted", deleted, without(managedFields, otherKeys)},
		{"one without data", func(s *corev1.Secret) { s.Data = nil }, without(managedFields)},
		{"anything else", unlabelled, without(managedFields, everything)},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := aSecret(row.edit, row.left)
			for _, times := range []string{"once", "twice"} { // an informer may transform an object twice
				got, err := native.trimSecret(aSecret(row.edit))
				if err == nil && times == "twice" {
					got, err = native.trimSecret(got)
				}
				if diff := cmp.Diff(any(want), got); diff != "" || err != nil {
					t.Errorf("trimmed %s (-want +got), %v:\n%s", times, err, diff)
				}
			}
		})
	}
	if got, err := native.trimSecret("text"); got != "text" || err != nil {
		t.Errorf("it made %v of what is no Secret: %v", got, err)
	}
}

func TestStateOf(t *testing.T) {
	for want, err := range map[State]error{
		Refused: errRefused, Unauthorized: errUnauthorized, Forbidden: errForbidden, Unreachable: errUnreachable,
	} {
		if got := StateOf(errors.Join(errors.New("x"), err)); got != want {
			t.Errorf("%v puts a member into the state %s", err, got)
		}
	}
	if got := StateOf(errors.New("anything else")); got != Unreachable {
		t.Errorf("any other error puts a member into the state %s", got)
	}
}
