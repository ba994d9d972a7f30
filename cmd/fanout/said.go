package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"

	"fanout/pkg/why"
)

// maxSaid is how many Events an explanation repeats.
const maxSaid = 5

// said are fanout's latest Events on the agent's Secret, and those on the parent that name the agent, as far as the user may read them.
func said(ctx context.Context, source *asked, a *why.Asked) []why.Said {
	if source.hub == nil {
		return nil
	}
	kube, err := kubernetes.NewForConfig(source.hub)
	if err != nil {
		return nil
	}
	secret := a.Agent
	for _, agent := range a.Agents {
		if agent.Name == a.Agent && agent.Secret != "" {
			secret = agent.Secret
		}
	}
	events := eventsOn(ctx, kube, a.SecretsIn, "Secret", secret)
	for _, event := range eventsOn(ctx, kube, a.Namespace, "Canary", a.Name) {
		if strings.Contains(event.Message, "agent "+strconv.Quote(a.Agent)) || event.Reason == "InvalidAgentSelector" {
			events = append(events, event)
		}
	}
	slices.SortFunc(events, func(a, b corev1.Event) int { return lastTime(&b).Compare(lastTime(&a)) })
	var all []why.Said
	for _, event := range events {
		known := slices.ContainsFunc(all, func(s why.Said) bool { return s.Reason == event.Reason })
		if !known && len(all) < maxSaid && event.Reason != "Connected" {
			all = append(all, why.Said{Reason: event.Reason, Time: lastTime(&event), Message: event.Message})
		}
	}
	return all
}

func eventsOn(ctx context.Context, kube kubernetes.Interface, namespace, kind, name string) []corev1.Event {
	list, err := kube.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: fields.Set{
		"involvedObject.kind": kind, "involvedObject.name": name, "source": "fanout",
	}.AsSelector().String()})
	if err != nil {
		return nil
	}
	return list.Items
}

func lastTime(event *corev1.Event) time.Time {
	if event.LastTimestamp.IsZero() {
		return event.FirstTimestamp.Time
	}
	return event.LastTimestamp.Time
}
