package leases

import (
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/pkg/lease"
	"fanout/pkg/shard"
)

// AnnotationView is on a replica's Lease, and names the replicas' Leases among which members are divided, as it sees it.
const AnnotationView = "fanout.flanksource.com/replicas"

// AnnotationAddress is on a replica's Lease, and says where the other replicas reach it, and AnnotationKey by which key they know it there.
const (
	AnnotationAddress = "fanout.flanksource.com/address"
	AnnotationKey     = "fanout.flanksource.com/key"
)

// announcementOf reads a Lease: a replica's, or the leader's. It returns false for what is neither.
func (o Options) announcementOf(l *coordinationv1.Lease) (shard.Announcement, bool) {
	a := shard.Announcement{Replica: l.Name, Version: l.ResourceVersion, Released: l.Spec.HolderIdentity == nil || *l.Spec.HolderIdentity == ""}
	if l.Spec.LeaseDurationSeconds != nil {
		a.Lasts = time.Duration(*l.Spec.LeaseDurationSeconds) * time.Second
	}
	switch {
	case l.Name == o.Name:
		a.Everything = true
	case l.Labels[lease.LabelReplicaOf] == o.Name:
		a.View = shard.ParseView(l.Annotations[AnnotationView])
		a.Contact = shard.Contact{Replica: l.Name, Address: l.Annotations[AnnotationAddress], Key: l.Annotations[AnnotationKey]}
	default:
		return shard.Announcement{}, false
	}
	return a, true
}

// write has a Lease say that the replica acts upon view, or, where holder is "", that it works no longer.
func (r *Replica) write(l *coordinationv1.Lease, holder string, view shard.View) {
	now := metav1.NewMicroTime(r.options.Clock.Now())
	seconds := int32(r.options.Timing.Lease / time.Second)
	l.Name, l.Namespace = r.name, r.options.Namespace
	if l.Labels == nil {
		l.Labels = map[string]string{}
	}
	l.Labels[lease.LabelReplicaOf] = r.options.Name
	if l.Annotations == nil {
		l.Annotations = map[string]string{}
	}
	l.Annotations[AnnotationView] = view.String()
	l.Annotations[AnnotationAddress], l.Annotations[AnnotationKey] = r.options.Contact.Address, r.options.Contact.Key
	if l.Spec.AcquireTime == nil {
		l.Spec.AcquireTime = &now
	}
	l.Spec.HolderIdentity, l.Spec.LeaseDurationSeconds, l.Spec.RenewTime = &holder, &seconds, &now
}
