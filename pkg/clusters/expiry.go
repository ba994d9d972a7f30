package clusters

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"

	"fanout/pkg/clusters/kubeconfig"
)

// nearness is how near a credential's end is. Each is told once.
type nearness int

const (
	far nearness = iota
	near
	imminent
	past
)

// A credential's end is near a week before it, and imminent a day before. Many live shorter than that, and are replaced by
// a tool when a third or a fifth of their time is left, so it is neither before the last tenth, and the last fiftieth, of
// the lifetime: nobody is warned of what is going well.
const (
	nearTime, nearPart         = 7 * 24 * time.Hour, 10
	imminentTime, imminentPart = 24 * time.Hour, 50
)

// nearnessOf judges a credential that ends at that time, and has been valid since another.
func nearnessOf(end, since, now time.Time) nearness {
	left, lifetime := end.Sub(now), end.Sub(since)
	switch {
	case left <= 0:
		return past
	case left <= min(imminentTime, lifetime/imminentPart):
		return imminent
	case left <= min(nearTime, lifetime/nearPart):
		return near
	default:
		return far
	}
}

// foreseen is the end of a credential, and what has been told of it.
type foreseen struct {
	kubeconfig.Expiry
	told nearness
}

// use takes note of the credential that is in use from now on, for the metric and for warnings of its end.
func (k *keeper) use(ctx context.Context, secret *corev1.Secret, config *kubeconfig.Config) {
	expiry, ends := config.Expiry()
	if !ends {
		k.unuse()
		return
	}
	k.options.Metrics.expires(k.agent, k.name, expiry.At)
	k.note(func(p *Particulars) { p.Expires = expiry.At })
	if expiry.Since.IsZero() {
		expiry.Since = k.options.Clock.Now() // which it has been at least
	}
	if expiry.At != k.ends.At || expiry.Of != k.ends.Of {
		k.ends = foreseen{Expiry: expiry}
	}
	k.foresee(ctx, secret)
}

// unuse takes note that there is no credential in use, or none with a known end.
func (k *keeper) unuse() {
	k.ends = foreseen{}
	k.options.Metrics.expiresNot(k.agent, k.name)
	k.note(func(p *Particulars) { p.Expires = time.Time{} })
}

// foresee warns the Secret's owner when the end of the credential in use has come nearer: once for each nearness, and
// after a restart for the present one again.
func (k *keeper) foresee(ctx context.Context, secret *corev1.Secret) {
	if k.ends.At.IsZero() || secret == nil {
		return
	}
	now := nearnessOf(k.ends.At, k.ends.Since, k.options.Clock.Now())
	if now <= k.ends.told {
		return
	}
	k.ends.told = now
	end := k.ends.At.Format(time.RFC3339)
	klog.FromContext(ctx).Info("The credential ends", "what", k.ends.Of, "at", end)
	if now == past {
		k.event(secret, corev1.EventTypeWarning, "CredentialExpired",
			fmt.Sprintf("The %s in use expired at %s: put a valid credential into the Secret.", k.ends.Of, end))
		return
	}
	k.event(secret, corev1.EventTypeWarning, "CredentialExpiring",
		fmt.Sprintf("The %s in use expires at %s: put a new credential into the Secret before that; it is taken over without a break.", k.ends.Of, end))
}
