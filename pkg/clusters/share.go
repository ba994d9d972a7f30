package clusters

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"

	"fanout/pkg/shard"
)

// Where several replicas share the members, all of them watch all Secrets, and each works with the clusters that are its own:
// by a cluster's ID, so that all Secrets that lead to one cluster meet in one replica, and its claims decide. A Secret that
// does not tell the ID yet is looked into by the replica that its name falls to. That one notes the ID on the Secret, and
// leaves the cluster to whoever it belongs to.

// shareKey is by what the Secret falls to a replica.
func shareKey(secret *corev1.Secret) string {
	if id := secret.Annotations[AnnotationMemberID]; id != "" {
		return id
	}
	return "secret/" + secret.Name
}

// isMine tells whether this replica is to look after the Secret.
func (k *keeper) isMine(secret *corev1.Secret) bool { return k.options.Share.Mine(shareKey(secret)) }

// errElsewhere says that another replica works with the cluster.
var errElsewhere = errors.New("another replica works with the member")

// begin begins work with the cluster id, if that is this replica's; if not, it sees to it that the other ones know the ID. The
// work has to stop when the context ends that begin returns, and then end has to be called with how it ended.
func (k *keeper) begin(ctx context.Context, id string) (working context.Context, end func(error) error, err error) {
	working, done, ok := k.options.Share.Begin(ctx, id)
	if !ok {
		err := editSecret(ctx, k.secrets(), k.name, func(secret *corev1.Secret) { k.record(secret, id) })
		if err != nil {
			return ctx, nil, fmt.Errorf("note the member's ID on Secret %s: %w", k.name, err)
		}
		klog.FromContext(ctx).V(2).Info("Another replica works with the member", "id", id)
		return ctx, nil, errElsewhere
	}
	return working, func(err error) error {
		if errors.Is(context.Cause(working), shard.ErrLost) {
			err = errElsewhere
		}
		done()
		return err
	}, nil
}

// record notes the member's ID on the Secret, for other replicas.
func (k *keeper) record(secret *corev1.Secret, id string) {
	if k.isRecorded(secret, id) {
		return
	}
	if secret.Annotations == nil {
		secret.Annotations = map[string]string{}
	}
	secret.Annotations[AnnotationMemberID] = id
}

// isRecorded tells whether there is nothing to note.
func (k *keeper) isRecorded(secret *corev1.Secret, id string) bool {
	return k.options.Share == nil || secret.Annotations[AnnotationMemberID] == id
}

// lastID is that of the cluster that was last worked with, by whichever replica, as far as that is known.
func (k *keeper) lastID(secret *corev1.Secret) string {
	if k.id == "" && k.options.Share != nil {
		return secret.Annotations[AnnotationMemberID]
	}
	return k.id
}

// standBy leaves the Secret to another replica until something changes. It only tells the handler of the agent, and sees to it that no
// younger Secret here takes the agent's name.
func (k *keeper) standBy(ctx context.Context, secret *corev1.Secret) {
	k.options.Metrics.forget(k.name)
	k.unuse()
	k.said, k.id = "", ""
	agent, err := k.options.Formats.agentOf(secret)
	switch {
	case err != nil || k.options.Formats.switchedOff(secret) != nil:
		k.assume("")
	case k.options.Formats.isLeaving(secret):
		k.unname()
	default:
		k.assume(agent)
		if k.names.take(agent, k.claim(secret.CreationTimestamp.Time), k.poke) != nil {
			k.withdraw()
			break
		}
		defer k.names.release(agent, k.name)
		k.named = true
		k.miss(secret, Elsewhere, "")
	}
	k.count(k)
	k.pause(ctx, time.Hour)
	if latest := k.latest(); latest != nil && k.isMine(latest) {
		k.enter(Connecting)
	}
}

// followShare has every keeper look when the share has changed, until ctx ends.
func (r *Registry) followShare(ctx context.Context) {
	for changed := r.options.Share.Changed(); changed != nil; {
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
		changed = r.options.Share.Changed()
		r.mu.Lock()
		for _, k := range r.keepers {
			k.poke()
		}
		r.mu.Unlock()
	}
}
