package charts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"fanout/pkg/clusters"
	"fanout/test/fixture"
)

// Installed, upgraded and uninstalled by helm, with the controller and the Job running under the chart's own identities and
// arguments: nothing is left but the Secrets, and nothing holds these. The test is what would start pods in a cluster.
func TestUninstallLeavesNothingStuck(t *testing.T) {
	server := newServer(t)
	member := fixture.In(t, planes, "member")
	const namespace = "uninstalled"
	for _, cluster := range []*fixture.Cluster{server.Cluster, member} {
		if err := cluster.InstallCRD(t.Context(), fixture.CRD(t)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cluster.Clean(t, namespace) })
	}
	server.restricted(t, namespace)
	kubeconfig := fixture.KubeconfigFile(t, server.Kubeconfig)
	run := func(values string, args ...string) (string, error) {
		t.Helper()
		return helm(t, values, append(args, "--kubeconfig", kubeconfig, "--namespace", namespace)...)
	}
	must := func(values string, args ...string) {
		t.Helper()
		if said, err := run(values, args...); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
	}
	must("fullnameOverride: gone", "install", "gone", chart, "--wait=false", "--values", "-")
	must("fullnameOverride: gone\nflags: {v: 2, leader-elect-lease-duration: 5s, leader-elect-renew-deadline: 3s, leader-elect-retry-period: 1s}",
		"upgrade", "gone", chart, "--wait=false", "--values", "-")
	deployment, err := server.Kube.AppsV1().Deployments(namespace).Get(t.Context(), "gone", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	args := deployment.Spec.Template.Spec.Containers[0].Args
	mustHave(t, args, "--v=2")
	args = slices.DeleteFunc(args, func(arg string) bool { return arg == "controller" || strings.HasPrefix(arg, "--bind-address") })
	server.Register(t, namespace, "eu-west-prod", member.LeastRights(t, "member.yaml", namespace))
	controller := fixture.StartFanout(t, server.as(t, namespace, "gone"), args...)
	held := func() error {
		secret, err := server.Kube.CoreV1().Secrets(namespace).Get(t.Context(), "eu-west-prod", metav1.GetOptions{})
		if err == nil && !slices.Contains(secret.Finalizers, clusters.Finalizer) {
			err = fmt.Errorf("the Secret has the finalizers %q", secret.Finalizers)
		}
		return err
	}
	fixture.Eventually(t, "the Secret is held", held)

	done := make(chan error, 1)
	go func() {
		_, err := run("", "uninstall", "gone", "--timeout", "2m")
		done <- err
	}()
	var job *batchv1.Job
	fixture.EventuallyWithin(t, time.Minute, "the Deployment is gone and the Job is there", func() (err error) {
		job, err = server.Kube.BatchV1().Jobs(namespace).Get(t.Context(), "gone-release", metav1.GetOptions{})
		return err
	})
	if _, err := server.Kube.AppsV1().Deployments(namespace).Get(t.Context(), "gone", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Deployment is there while the Job runs (%v)", err)
	}
	controller.Stop(t) // as the kubelet does, by when its rights are gone
	code, said := fixture.Run(t, server.as(t, namespace, job.Spec.Template.Spec.ServiceAccountName), job.Spec.Template.Spec.Containers[0].Args...)
	if code != 0 || !strings.Contains(said, "secret/eu-west-prod released") || !strings.Contains(said, "still there") {
		t.Errorf("exit code %d: %s", code, said)
	}
	server.complete(t, job)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if held() == nil {
		t.Error("the Secret is still held")
	}
	server.nothingLeft(t, namespace, "app.kubernetes.io/instance=gone")
}

// as returns a kubeconfig of a ServiceAccount.
func (s *server) as(t *testing.T, namespace, account string) []byte {
	t.Helper()
	granted, err := s.Kube.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(s.Config)
	config.BearerToken = granted.Status.Token
	return fixture.Kubeconfig(t, config)
}

// complete says of a job what Kubernetes says when its pod has ended well.
func (s *server) complete(t *testing.T, job *batchv1.Job) {
	t.Helper()
	now := metav1.Now()
	job.Status = batchv1.JobStatus{Succeeded: 1, StartTime: &now, CompletionTime: &now, Conditions: []batchv1.JobCondition{
		{Type: batchv1.JobSuccessCriteriaMet, Status: corev1.ConditionTrue, LastTransitionTime: now},
		{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastTransitionTime: now},
	}}
	if _, err := s.Kube.BatchV1().Jobs(job.Namespace).UpdateStatus(t.Context(), job, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// nothingLeft complains of what the chart made.
func (s *server) nothingLeft(t *testing.T, namespace, selector string) {
	t.Helper()
	options := metav1.ListOptions{LabelSelector: selector}
	count := func(what string, list func(context.Context, metav1.ListOptions) (int, error)) {
		if found, err := list(t.Context(), options); err != nil || found != 0 {
			t.Errorf("%d %s are left (%v)", found, what, err)
		}
	}
	count("ServiceAccounts", func(ctx context.Context, o metav1.ListOptions) (int, error) {
		list, err := s.Kube.CoreV1().ServiceAccounts(namespace).List(ctx, o)
		return len(list.Items), err
	})
	count("Roles", func(ctx context.Context, o metav1.ListOptions) (int, error) {
		list, err := s.Kube.RbacV1().Roles(namespace).List(ctx, o)
		return len(list.Items), err
	})
	count("ClusterRoles", func(ctx context.Context, o metav1.ListOptions) (int, error) {
		list, err := s.Kube.RbacV1().ClusterRoles().List(ctx, o)
		return len(list.Items), err
	})
	count("ClusterRoleBindings", func(ctx context.Context, o metav1.ListOptions) (int, error) {
		list, err := s.Kube.RbacV1().ClusterRoleBindings().List(ctx, o)
		return len(list.Items), err
	})
	count("Jobs", func(ctx context.Context, o metav1.ListOptions) (int, error) {
		list, err := s.Kube.BatchV1().Jobs(namespace).List(ctx, o)
		return len(list.Items), err
	})
}
