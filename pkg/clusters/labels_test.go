package clusters

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAMembersLabelsAreItsSecretsWithoutMarks(t *testing.T) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{
		LabelSecretType: SecretTypeCluster, labelClusterName: "x", labelArgoCDType: argoCDTypeCluster,
		"topology.cluster.x-k8s.io/owned": "", "fanout.flanksource.com/anything": "x",
		"tier": "prod", "topology.kubernetes.io/region": "eu", "app.kubernetes.io/managed-by": "Helm", "x-k8s.io/mine": "yes",
	}}}
	want := map[string]string{"tier": "prod", "topology.kubernetes.io/region": "eu", "app.kubernetes.io/managed-by": "Helm", "x-k8s.io/mine": "yes"}
	if diff := cmp.Diff(want, labelsOf(secret)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(secret.Labels) != 9 {
		t.Error("the Secret itself has lost labels")
	}
	if labels := labelsOf(&corev1.Secret{}); len(labels) > 0 {
		t.Errorf("a Secret without labels gives %v", labels)
	}
}
