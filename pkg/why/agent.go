package why

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"fanout/pkg/selector"
)

// tenancy tells whether the member takes Canaries from the parent's namespace.
func (e *explainer) tenancy() {
	switch {
	case e.agent == nil:
	case len(e.agent.Namespaces) == 0:
		e.ok("tenancy", "it takes Canaries from all namespaces of the hub")
	default:
		patterns := strings.Join(e.agent.Namespaces, ", ")
		allowed, err := selector.ParseNamespaces(patterns)
		if err != nil || !allowed.Matches(e.Namespace) {
			e.because("tenancy", Not, "NamespaceNotAllowed", "it takes "+patterns, nil)
			return
		}
		e.ok("tenancy", "it takes Canaries from %s, by %s", e.Namespace, patterns)
	}
}

// health tells whether the member can be worked with.
func (e *explainer) health() {
	if e.agent == nil {
		return
	}
	since := e.agent.Since
	switch state := e.agent.State; state {
	case "Connected":
		text := "it is connected"
		if !since.IsZero() {
			text += ", for " + e.ago(since)
		}
		if e.agent.ServerVersion != "" {
			text += "; Kubernetes " + e.agent.ServerVersion
		}
		e.ok("health", "%s", text)
	case "Connecting":
		e.because("health", Unknown, state, e.agent.Detail, &since)
	case "Unknown", "":
		e.unknown("health", "", "whether it can be reached only the controller knows", "ask where the controller can be: fanout check")
	default:
		e.because("health", Not, state, e.agent.Detail, &since)
	}
}

// soon is how long before a credential's end it is worth a word.
const soon = 7 * 24 * time.Hour

func (e *explainer) credential() {
	if e.agent == nil || e.agent.CredentialExpires == nil {
		return
	}
	at := *e.agent.CredentialExpires
	left := at.Sub(e.Teller.Time)
	switch {
	case left <= 0:
		e.because("credential", Not, "CredentialExpired", fmt.Sprintf("%s ago, at %s", duration.HumanDuration(-left), at.Format(time.RFC3339)), nil)
	case left < soon:
		e.because("credential", Unknown, "CredentialExpiring", fmt.Sprintf("in %s, at %s", duration.HumanDuration(left), at.Format(time.RFC3339)), nil)
	default:
		e.ok("credential", "it lasts for another %s", duration.HumanDuration(left))
	}
}

func (e *explainer) ago(at time.Time) string {
	return duration.HumanDuration(max(e.Teller.Time.Sub(at), 0))
}
