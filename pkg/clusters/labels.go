package clusters

import (
	"context"
	"errors"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
)

// withoutMarks returns labels by which a member can be selected: not those by which tools know it.
func withoutMarks(labels map[string]string) map[string]string {
	labels = maps.Clone(labels)
	maps.DeleteFunc(labels, func(key, _ string) bool { return isMark(key) })
	return labels
}

func isMark(key string) bool {
	domain, _, qualified := strings.Cut(key, "/")
	if !qualified {
		return false
	}
	switch domain {
	case "fanout.flanksource.com", "argocd.argoproj.io", "cluster.x-k8s.io":
		return true
	}
	return strings.HasSuffix(domain, ".cluster.x-k8s.io")
}

// labelsOf returns the labels of a member: its Secret's, and for Cluster API those of the Cluster as far as the Secret does not set
// them otherwise. Once known, a Cluster's labels stay the last known for as long as others are not; before, it returns an error.
func (k *keeper) labelsOf(ctx context.Context, secret *corev1.Secret) (map[string]string, error) {
	labels := withoutMarks(secret.Labels)
	if k.options.Formats.formatOf(secret) != ClusterAPI {
		return labels, nil
	}
	cluster, err := k.clusters.get(ctx, strings.TrimSuffix(k.name, clusterAPISuffix), k.cluster)
	k.unsure = err != nil && !errors.Is(err, errUnread)
	switch {
	case err == nil:
		k.cluster = cluster
	case k.cluster != nil:
		klog.FromContext(ctx).V(2).Info("The labels of the Cluster stay the last known", "err", err)
	case errors.Is(err, errUnread):
		k.event(secret, corev1.EventTypeNormal, "ClusterLabelsUnread", err.Error())
		k.cluster = &metav1.PartialObjectMetadata{}
	default:
		return nil, err
	}
	merged := maps.Clone(k.cluster.Labels)
	if merged == nil {
		return labels, nil
	}
	maps.Copy(merged, labels)
	return merged, nil
}

// awaitLabels waits until the member's labels are known. It takes part in nothing until then, and keeps its name and its cluster.
func (k *keeper) awaitLabels(ctx context.Context, secret *corev1.Secret) error {
	for {
		labels, err := k.labelsOf(ctx, secret)
		if err == nil {
			k.labels = labels
			return nil
		}
		k.enter(Connecting)
		if !errors.Is(err, errUnlisted) {
			k.warn(ctx, secret, "ClusterLabelsUnknown", "waiting for the labels of the Cluster before anything is written or removed: "+err.Error())
		}
		k.pause(ctx, k.options.ProbePeriod)
		if ctx.Err() != nil || k.latest() != secret || k.takeEvicted() {
			return errChanged
		}
	}
}

// relabel tells the handler of labels that are others than those it was last told.
func (k *keeper) relabel(ctx context.Context, secret *corev1.Secret) {
	labels, err := k.labelsOf(ctx, secret)
	if err != nil || maps.Equal(labels, k.labels) {
		return
	}
	k.labels = labels
	klog.FromContext(ctx).Info("The member's labels changed")
	k.handler.Relabel(k.agent, labels)
}
