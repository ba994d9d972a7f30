package check

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// deployment looks at the chart's, which is known by its label. A controller may also run elsewhere.
func (h *hub) deployment(ctx context.Context, leads bool) {
	const check = "deployment"
	list, err := h.kube.AppsV1().Deployments(h.ClusterNamespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=fanout"})
	switch {
	case err != nil:
		h.unknown(check, err)
		return
	case len(list.Items) == 0 && leads:
		h.ok(check, "there is none in namespace %s: the controller runs elsewhere", h.ClusterNamespace)
		return
	case len(list.Items) == 0:
		h.failed(check, "there is none in namespace "+h.ClusterNamespace, fmt.Sprintf(install, h.ClusterNamespace))
		return
	}
	for _, deployment := range list.Items {
		wanted, available := int32(1), deployment.Status.AvailableReplicas
		if deployment.Spec.Replicas != nil {
			wanted = *deployment.Spec.Replicas
		}
		message := fmt.Sprintf("%s: %d of %d replicas are available", deployment.Name, available, wanted)
		if available < wanted {
			h.failed(check, message, fmt.Sprintf("see why: kubectl -n %s describe pods -l app.kubernetes.io/name=fanout", h.ClusterNamespace))
			continue
		}
		h.ok(check, "%s", message)
	}
}
