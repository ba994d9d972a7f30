package pods

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Port is the one of a controller's pod on which it answers.
const Port = 8082

// Selector finds the pods of controllers, as the chart labels them.
const Selector = "app.kubernetes.io/name=fanout"

// errNone says that there is nobody to ask.
var errNone = errors.New("no pod of it is ready")

// find returns the pods in namespace that are ready.
func find(ctx context.Context, kube kubernetes.Interface, namespace string) ([]corev1.Pod, error) {
	list, err := kube.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: Selector})
	if err != nil {
		return nil, fmt.Errorf("find its pods: %w", err)
	}
	var ready []corev1.Pod
	for i := range list.Items {
		if isReady(&list.Items[i]) {
			ready = append(ready, list.Items[i])
		}
	}
	if len(ready) == 0 {
		return nil, fmt.Errorf("%w in namespace %s (%s)", errNone, namespace, Selector)
	}
	return ready, nil
}

func isReady(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil {
		return false
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
