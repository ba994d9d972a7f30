package statuses

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/pkg/api"
	"fanout/pkg/clusters"
)

// What the statuses say of an agent is counted, and what no object in the hub tells of it stays unknown.
func TestCountsWhatStatusesSayOfAnAgent(t *testing.T) {
	agents := map[string]*api.Agent{"shop": {Name: "shop", State: "Refused"}}
	away := &api.Condition{Reason: "Unauthorized"}
	for _, c := range []api.Copy{
		{Agent: "eu-west-prod", State: "Passed", InSync: true},
		{Agent: "eu-west-prod", State: "Failed", InSync: true},
		{Agent: "eu-west-prod", State: "Invalid", OutOfSync: &api.Condition{Reason: "Altered"}},
		{Agent: "us-east-prod", State: "Unreachable", Before: "Failed", Away: away},
		{Agent: "shop", State: "Unreachable", Away: away},
	} {
		add(agents, &c, true)
	}
	for name, want := range map[string]api.Agent{
		"eu-west-prod": {Name: "eu-west-prod", State: NotKnown, Selected: 3, InSync: 2, OutOfSync: 1, Failing: 2},
		"us-east-prod": {Name: "us-east-prod", State: "Unauthorized", Selected: 1},
		"shop":         {Name: "shop", State: "Refused", Selected: 1}, // as its Secret says, which is newer
	} {
		if got := agents[name]; got.State != want.State || got.Selected != want.Selected || got.InSync != want.InSync || got.OutOfSync != want.OutOfSync || got.Failing != want.Failing {
			t.Errorf("%s: %+v", name, *got)
		}
	}
}

// Of a Secret it is told what is wrong with it, and that it is on its way; whether its member can be reached is not in it.
func TestAnAgentAsItsSecretRegistersIt(t *testing.T) {
	secret := func(change func(*corev1.Secret)) corev1.Secret {
		s := corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Name: "shop", Labels: map[string]string{clusters.LabelSecretType: clusters.SecretTypeCluster, "tier": "prod"},
			Annotations: map[string]string{clusters.AnnotationNamespaces: "payments, team-*"},
		}, Data: map[string][]byte{clusters.KubeconfigKey: []byte(kubeconfig)}}
		change(&s)
		return s
	}
	deleted := metav1.NewTime(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC))
	for _, row := range []struct {
		change func(*corev1.Secret)
		state  string
		detail bool
	}{
		{func(*corev1.Secret) {}, NotKnown, false},
		{func(s *corev1.Secret) { s.Data = nil }, "Refused", true},
		{func(s *corev1.Secret) { s.DeletionTimestamp = &deleted }, "Leaving", false},
	} {
		registered := clusters.Formats{clusters.Native}.Registrations([]corev1.Secret{secret(row.change)})
		agent := agentOf(&registered[0])
		if agent.State != row.state || (agent.Detail != "") != row.detail || agent.Labels["tier"] != "prod" || len(agent.Labels) != 1 || len(agent.Namespaces) != 2 || agent.CredentialExpires != nil {
			t.Errorf("%s: %+v", row.state, agent)
		}
		if row.state == "Leaving" && !agent.Since.Equal(deleted.Time) {
			t.Errorf("since %s", agent.Since)
		}
	}
}

const kubeconfig = `
apiVersion: v1
kind: Config
current-context: it
contexts: [{name: it, context: {cluster: it, user: it}}]
clusters: [{name: it, cluster: {server: "https://shop.example.com:6443"}}]
users: [{name: it, user: {token: not-a-secret}}]
`
