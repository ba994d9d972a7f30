package clusters

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"
)

func TestParseFormats(t *testing.T) {
	for _, row := range []struct {
		names []string
		want  string // "" where it is refused
	}{
		{[]string{"native"}, "[native]"},
		{[]string{"capi"}, "[capi]"},
		{[]string{"argocd", "native", "capi"}, "[argocd native capi]"},
		{[]string{"native", "native"}, "[native native]"},
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"Native"}, ""},
		{[]string{"native", "flux"}, ""},
		{[]string{" capi"}, ""},
	} {
		got, err := ParseFormats(row.names)
		if (err == nil) != (row.want != "") || err == nil && fmt.Sprint(got) != row.want {
			t.Errorf("%q: %v, %v", row.names, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), "native, capi and argocd") {
			t.Errorf("%q: %v", row.names, err)
		}
	}
}

var all = Formats{Native, ClusterAPI, ArgoCD}

// aClusterAPISecret is what Cluster API keeps for a cluster.
func aClusterAPISecret(cluster, name string, edits ...func(*corev1.Secret)) *corev1.Secret {
	return aSecret(append([]func(*corev1.Secret){func(s *corev1.Secret) {
		s.Name, s.Labels, s.Type = name, map[string]string{"cluster.x-k8s.io/cluster-name": cluster}, "cluster.x-k8s.io/secret"
		s.Data = map[string][]byte{"value": kubeconfigFor("https://10.0.0.2:6443", "token: secret-token", ""), "other": []byte("x")}
	}}, edits...)...)
}

// anArgoCDSecret registers a cluster with Argo CD.
func anArgoCDSecret(edits ...func(*corev1.Secret)) *corev1.Secret {
	return aSecret(append([]func(*corev1.Secret){func(s *corev1.Secret) {
		s.Name, s.Labels = "cluster-10.0.0.3-4711", map[string]string{"argocd.argoproj.io/secret-type": "cluster", "env": "prod"}
		s.Data = map[string][]byte{
			"name": []byte("us-east-prod"), "server": []byte("https://10.0.0.3"),
			"config":  []byte(`{"bearerToken":"secret-token","tlsClientConfig":{"insecure":false}}`),
			"project": []byte("x"), "namespaces": []byte("a,b"), "clusterResources": []byte("true"), "shard": []byte("1"),
		}
	}}, edits...)...)
}

func with(key, value string) func(*corev1.Secret) {
	return func(s *corev1.Secret) { s.Data[key] = []byte(value) }
}

func without(key string) func(*corev1.Secret) {
	return func(s *corev1.Secret) { delete(s.Data, key) }
}

func labelled(key, value string) func(*corev1.Secret) {
	return func(s *corev1.Secret) { s.Labels[key] = value }
}

// A registration is read as the first of the formats that it is marked for and that are understood.
func TestWhatASecretRegisters(t *testing.T) {
	alsoNative := labelled(LabelSecretType, SecretTypeCluster)
	alsoArgoCD := labelled("argocd.argoproj.io/secret-type", "cluster")
	unmarked := func(s *corev1.Secret) { s.Labels = nil }
	ofClusterAPI := func(suffix string) *corev1.Secret { return aClusterAPISecret("eu", "eu-"+suffix) }
	for _, row := range []struct {
		name          string
		formats       Formats
		secret        *corev1.Secret
		agent, server string // "": it registers none
		keys          string
	}{
		{"native", all, aSecret(), "eu-west-prod", "https://10.0.0.1:6443", "kubeconfig"},
		{"native, when only that is understood", native, aSecret(), "eu-west-prod", "https://10.0.0.1:6443", "kubeconfig"},
		{"native, when it is not understood", Formats{ClusterAPI, ArgoCD}, aSecret(), "", "", ""},
		{"native, for a name that Cluster API could give", all, aSecret(func(s *corev1.Secret) { s.Name = "eu-kubeconfig" }), "eu-kubeconfig", "https://10.0.0.1:6443", "kubeconfig"},

		{"Cluster API's", all, aClusterAPISecret("eu", "eu-kubeconfig"), "eu", "https://10.0.0.2:6443", "value"},
		{"Cluster API's, when it is not understood", Formats{Native, ArgoCD}, aClusterAPISecret("eu", "eu-kubeconfig"), "", "", ""},
		{"another cluster's", all, aClusterAPISecret("us", "eu-kubeconfig"), "", "", ""},
		{"a cluster named after the file", all, aClusterAPISecret("kubeconfig", "kubeconfig-kubeconfig"), "kubeconfig", "https://10.0.0.2:6443", "value"},
		{"a cluster without a name", all, aClusterAPISecret("", "-kubeconfig"), "", "", ""},
		{"the user's kubeconfig of the same cluster", all, ofClusterAPI("user-kubeconfig"), "", "", ""},
		{"its CA", all, ofClusterAPI("ca"), "", "", ""},
		{"its etcd's CA", all, ofClusterAPI("etcd"), "", "", ""},
		{"its proxy's CA", all, ofClusterAPI("proxy"), "", "", ""},
		{"its ServiceAccounts' key", all, ofClusterAPI("sa"), "", "", ""},

		{"Argo CD's", all, anArgoCDSecret(), "us-east-prod", "https://10.0.0.3", "config name server"},
		{"Argo CD's, when it is not understood", Formats{Native, ClusterAPI}, anArgoCDSecret(), "", "", ""},
		{"Argo CD's repository", all, anArgoCDSecret(labelled("argocd.argoproj.io/secret-type", "repository")), "", "", ""},

		{"native and Cluster API's", all, aClusterAPISecret("eu", "eu-kubeconfig", alsoNative, with("kubeconfig", string(kubeconfigFor("https://10.0.0.9", "token: x", "")))),
			"eu-kubeconfig", "https://10.0.0.9", "kubeconfig"},
		{"native and Cluster API's, the first not understood", Formats{ArgoCD, ClusterAPI}, aClusterAPISecret("eu", "eu-kubeconfig", alsoNative), "eu", "https://10.0.0.2:6443", "value"},
		{"Cluster API's and Argo CD's", Formats{ArgoCD, ClusterAPI}, aClusterAPISecret("eu", "eu-kubeconfig", alsoArgoCD), "eu", "https://10.0.0.2:6443", "value"},
		{"Argo CD's and native", all, anArgoCDSecret(alsoNative, with("kubeconfig", string(kubeconfigFor("https://10.0.0.9", "token: x", "")))),
			"cluster-10.0.0.3-4711", "https://10.0.0.9", "kubeconfig"},

		{"was native", all, aSecret(finalized, unmarked), "eu-west-prod", "https://10.0.0.1:6443", "kubeconfig"},
		{"was Cluster API's", all, aClusterAPISecret("eu", "eu-kubeconfig", finalized, unmarked), "eu", "https://10.0.0.2:6443", "value"},
		{"was Argo CD's", all, anArgoCDSecret(finalized, unmarked), "us-east-prod", "https://10.0.0.3", "config name server"},
		{"was Argo CD's, and is not understood any more", native, anArgoCDSecret(finalized), "us-east-prod", "https://10.0.0.3", "config name server"},
	} {
		t.Run(row.name, func(t *testing.T) {
			trimmed, err := row.formats.trimSecret(row.secret)
			if err != nil {
				t.Fatal(err)
			}
			secret := trimmed.(*corev1.Secret)
			if got := strings.Join(slices.Sorted(maps.Keys(secret.Data)), " "); got != row.keys {
				t.Errorf("it keeps the keys %s, want %s", got, row.keys)
			}
			registers := row.agent != ""
			if got := row.formats.isRegistration(secret); got != registers {
				t.Fatalf("isRegistration: %t", got)
			}
			off := strings.Contains(row.name, "when it is not understood") || strings.HasSuffix(row.name, "not understood any more")
			if err := row.formats.switchedOff(secret); (err != nil) != off || off && !errors.Is(err, errRefused) {
				t.Errorf("switchedOff: %v", err)
			}
			if leaving := !off && (!registers || strings.HasPrefix(row.name, "was")); row.formats.isLeaving(secret) != leaving {
				t.Errorf("isLeaving: %t", !leaving)
			}
			deleted := secret.DeepCopy()
			deleted.DeletionTimestamp = &metav1.Time{}
			if !row.formats.isLeaving(deleted) {
				t.Error("it is deleted, and does not leave")
			}
			if !registers {
				return
			}
			agent, err := row.formats.agentOf(secret)
			if err != nil || agent != row.agent {
				t.Errorf("it registers %q, %v", agent, err)
			}
			config, err := row.formats.configOf(secret)
			if err != nil || config.Server() != row.server {
				t.Errorf("it leads to %v, %v", config, err)
			}
		})
	}
}

func TestARegistrationThatIsNotAcceptable(t *testing.T) {
	named := func(name string) func(*corev1.Secret) { return func(s *corev1.Secret) { s.Name = name } }
	const name = `the key "name" is no name`
	for _, row := range []struct {
		what   string
		secret *corev1.Secret
		says   []string
	}{
		{"native, named local", aSecret(named("local")), []string{`"local"`, "give the Secret another name"}},
		{"Cluster API's, without its key", aClusterAPISecret("eu", "eu-kubeconfig", without("value")), []string{`no key "value"`, "kubeconfig"}},
		{"Cluster API's, named local", aClusterAPISecret("local", "local-kubeconfig"), []string{`"local"`, "give the cluster another name"}},
		{"Cluster API's, with a command", aClusterAPISecret("eu", "eu-kubeconfig", with("value", string(kubeconfigFor("https://10.0.0.1", "exec: {command: secret-token}", "")))), []string{"exec", "kubeconfig refused"}},
		{"Argo CD's, without a name", anArgoCDSecret(without("name")), []string{name}},
		{"Argo CD's, named after its server", anArgoCDSecret(with("name", "https://10.0.0.3")), []string{name}},
		{"Argo CD's, with a name that no agent has", anArgoCDSecret(with("name", "Secret_token secret-token")), []string{name, "lower-case"}},
		{"Argo CD's, with a name that is too long", anArgoCDSecret(with("name", strings.Repeat("a", 254))), []string{name}},
		{"Argo CD's, with a line break behind its name", anArgoCDSecret(with("name", "eu\n")), []string{name}},
		{"Argo CD's, named local", anArgoCDSecret(with("name", "local")), []string{`"local"`, `give the key "name" another name`}},
		{"Argo CD's own cluster", anArgoCDSecret(with("name", "in-cluster"), with("server", "https://kubernetes.default.svc"), with("config", `{"tlsClientConfig":{"insecure":false}}`)),
			[]string{`the key "server"`, "the hub", `"local"`}},
		{"Argo CD's, without a server", anArgoCDSecret(without("server")), []string{`no key "server"`}},
		{"Argo CD's, without a config", anArgoCDSecret(without("config")), []string{`no key "config"`}},
		{"Argo CD's, with a command", anArgoCDSecret(with("config", `{"execProviderConfig":{"command":"secret-token"}}`)), []string{"config.execProviderConfig", "bearerToken"}},
		{"Argo CD's, insecure", anArgoCDSecret(with("config", `{"bearerToken":"secret-token","tlsClientConfig":{"insecure":true}}`)), []string{"config.tlsClientConfig.insecure", "caData"}},
	} {
		t.Run(row.what, func(t *testing.T) {
			_, err := all.agentOf(row.secret)
			if err == nil {
				_, err = all.configOf(row.secret)
			}
			if !errors.Is(err, errRefused) || strings.Contains(err.Error(), "secret-token") {
				t.Fatalf("refused: %v", err)
			}
			for _, part := range row.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v\ndoes not say %q", err, part)
				}
			}
		})
	}
}

// Whatever a Secret holds, an agent has a name that an agent can have, and is not the hub.
func TestAgentsNamesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z0-9.-]{0,8}`), rapid.SampledFrom([]string{"local", "LOCAL", "a..b"}))
		secret := anArgoCDSecret(with("name", text.Draw(t, "name")), with("server", text.Draw(t, "server")))
		agent, err := all.agentOf(secret)
		if err == nil && (len(validation.IsDNS1123Subdomain(agent)) > 0 || agent == "local") {
			t.Fatalf("the agent %q", agent)
		}
	})
}
