package check

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
)

// registrations reads the Secrets as the controller does.
func (h *hub) registrations(ctx context.Context) {
	const check = "members"
	list, err := h.kube.CoreV1().Secrets(h.ClusterNamespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		h.unknown(check, err)
		return
	}
	registrations := h.Formats.Registrations(list.Items)
	if len(registrations) == 0 {
		h.failed(check, "no Secret in namespace "+h.ClusterNamespace+" registers one", "register one: fanout register NAME --member-context CONTEXT")
	}
	for _, registered := range registrations {
		h.member(ctx, registered)
	}
}

func (h *hub) member(ctx context.Context, registered clusters.Registration) {
	check := "member " + registered.Agent
	if registered.Agent == "" {
		check = "secret " + registered.Secret.Name
	}
	events := fmt.Sprintf("see what the controller says: kubectl -n %s events --for secret/%s", h.ClusterNamespace, registered.Secret.Name)
	switch {
	case registered.Err != nil:
		h.failed(check, registered.Err.Error(), "mend the Secret, or register the member again: fanout register NAME --member-context CONTEXT")
		return
	case registered.Secret.DeletionTimestamp != nil:
		h.failed(check, "is being deregistered, and not clean yet", events)
		return
	}
	expiry, ends := registered.Config.Expiry()
	until := ""
	if ends {
		until = fmt.Sprintf(", %s until %s", expiry.Of, expiry.At.Format(time.RFC3339))
		if time.Now().After(expiry.At) {
			h.failed(check, fmt.Sprintf("its %s ended at %s", expiry.Of, expiry.At.Format(time.RFC3339)),
				fmt.Sprintf("register it again: fanout register %s --member-context CONTEXT", registered.Agent))
			return
		}
	}
	if !h.Members {
		h.ok(check, "%s%s", registered.Config.Server(), until)
		return
	}
	reached, err := clusters.Reach(ctx, registered.Agent, registered.Config, h.UserAgent, h.Timeout)
	if err != nil {
		h.failed(check, err.Error(), "from here, which may be another network than the hub's; "+events)
		return
	}
	defer reached.Close()
	if _, err := reached.Client.Resource(derive.Canaries).List(ctx, metav1.ListOptions{Limit: 1}); err != nil {
		h.failed(check, "its Canaries can't be listed: "+err.Error(), "install canary-checker's CRDs in the member, and register it again for the rights")
		return
	}
	h.ok(check, "%s answers, ID %s%s", registered.Config.Server(), reached.ID, until)
}
