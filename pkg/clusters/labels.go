package clusters

import (
	"context"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
)

// labelsOf returns the labels by which a member can be selected: those of its Secret, without the marks by which tools know it.
func labelsOf(secret *corev1.Secret) map[string]string {
	labels := maps.Clone(secret.Labels)
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

// relabel tells the handler of labels that are others than those it was last told.
func (k *keeper) relabel(ctx context.Context, secret *corev1.Secret) {
	labels := labelsOf(secret)
	if maps.Equal(labels, k.labels) {
		return
	}
	k.labels = labels
	klog.FromContext(ctx).Info("The member's labels changed")
	k.handler.Relabel(k.agent, labels)
}
