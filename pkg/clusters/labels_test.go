package clusters

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLabelsWithoutMarks(t *testing.T) {
	secret := map[string]string{
		LabelSecretType: SecretTypeCluster, labelClusterName: "x", labelArgoCDType: argoCDTypeCluster,
		"topology.cluster.x-k8s.io/owned": "", "fanout.flanksource.com/anything": "x",
		"tier": "prod", "topology.kubernetes.io/region": "eu", "app.kubernetes.io/managed-by": "Helm", "x-k8s.io/mine": "yes",
	}
	want := map[string]string{"tier": "prod", "topology.kubernetes.io/region": "eu", "app.kubernetes.io/managed-by": "Helm", "x-k8s.io/mine": "yes"}
	if diff := cmp.Diff(want, withoutMarks(secret)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(secret) != 9 {
		t.Error("the Secret itself has lost labels")
	}
	if labels := withoutMarks(nil); len(labels) > 0 {
		t.Errorf("nothing gives %v", labels)
	}
}
