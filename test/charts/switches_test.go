package charts

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// switches are values of charts/fanout, and what they must come to. The other tests render the same.
var switches = []struct {
	name    string
	release string // fanout where it is empty
	values  string
	want    func(t *testing.T, r *release)
}{{
	name: "nothing is set",
	want: func(t *testing.T, r *release) {
		same(t, "kinds", r.kinds(), map[string]int{
			"ServiceAccount": 1, "ClusterRole": 1, "ClusterRoleBinding": 1, "Role": 1, "RoleBinding": 1, "Deployment": 1,
		})
		d, pod, container := r.deployment(t), r.pod(t), r.container(t)
		same(t, "name", d.Namespace+"/"+d.Name, system+"/fanout")
		same(t, "label by which fanout check finds it", d.Labels["app.kubernetes.io/name"], "fanout")
		same(t, "replicas", *d.Spec.Replicas, 1)
		same(t, "containers", len(pod.Containers), 1)
		same(t, "image", container.Image, "fanout:dev")
		same(t, "arguments", container.Args, []string{"controller", "--cluster-namespace=fanout-system", "--registration=native",
			"--bind-address=0.0.0.0:8080", "--shard-port=8083", "--leader-elect=true", "--leader-elect-resource-name=fanout"})
		same(t, "liveness", container.LivenessProbe.HTTPGet.Path, "/healthz")
		same(t, "readiness", container.ReadinessProbe.HTTPGet.Path, "/readyz")
		same(t, "user", *pod.SecurityContext.RunAsUser, 65532)
		same(t, "root file system", *container.SecurityContext.ReadOnlyRootFilesystem, true)
		same(t, "account", pod.ServiceAccountName, "fanout")
		same(t, "spread", len(pod.TopologySpreadConstraints), 0)
		if container.Resources.Requests.Memory().IsZero() || container.Resources.Limits.Memory().IsZero() || !container.Resources.Limits.Cpu().IsZero() {
			t.Errorf("resources are %v", container.Resources)
		}
	},
}, {
	name:   "another namespace for the Secrets",
	values: "clusterNamespace: argocd\nregistration: [native, argocd]",
	want: func(t *testing.T, r *release) {
		same(t, "Role", one[*rbacv1.Role](t, r).Namespace, "argocd")
		binding := one[*rbacv1.RoleBinding](t, r)
		same(t, "RoleBinding", binding.Namespace, "argocd")
		same(t, "subject", binding.Subjects[0].Namespace, system)
		mustHave(t, r.container(t).Args, "--cluster-namespace=argocd", "--registration=native,argocd")
		job := jobs(r)[0]
		same(t, "Job", job.Namespace, system)
		mustHave(t, job.Spec.Template.Spec.Containers[0].Args, "--cluster-namespace=argocd")
		same(t, "hook's Role", hooks[*rbacv1.Role](r)[0].Namespace, "argocd")
	},
}, {
	name:   "replicas that share the members",
	values: "sharding: {enabled: true}\nnetworkPolicy: {enabled: true}",
	want: func(t *testing.T, r *release) {
		same(t, "the replicas' port", r.container(t).Ports[1].ContainerPort, 8083)
		own := one[*networkingv1.NetworkPolicy](t, r).Spec.Ingress[1]
		same(t, "the port that is let through", own.Ports[0].Port.String(), "replicas")
		same(t, "and for whom", own.From[0].PodSelector.MatchLabels["app.kubernetes.io/instance"], "fanout")
		same(t, "replicas", *r.deployment(t).Spec.Replicas, 3)
		mustHave(t, r.container(t).Args, "--shard=true", "--leader-elect-resource-name=fanout")
		same(t, "disruptions", one[*policyv1.PodDisruptionBudget](t, r).Spec.MaxUnavailable.IntValue(), 1)
		same(t, "strategy", string(r.deployment(t).Spec.Strategy.Type), "")
	},
}, {
	name:    "a release of another name",
	release: "hub-eu",
	want: func(t *testing.T, r *release) {
		same(t, "Deployment", r.deployment(t).Name, "hub-eu-fanout")
		same(t, "label by which fanout check finds it", r.deployment(t).Labels["app.kubernetes.io/name"], "fanout")
		same(t, "account", one[*corev1.ServiceAccount](t, r).Name, "hub-eu-fanout")
		mustHave(t, r.container(t).Args, "--leader-elect-resource-name=fanout")
	},
}, {
	name:    "a release of the longest name",
	release: strings.Repeat("long-", 10) + "est",
	want: func(t *testing.T, r *release) {
		if name := jobs(r)[0].Name; len(name) > 63 {
			t.Errorf("%s has %d characters", name, len(name))
		}
	},
}, {
	name:   "another name for all",
	values: "fullnameOverride: spreader",
	want: func(t *testing.T, r *release) {
		same(t, "Deployment", r.deployment(t).Name, "spreader")
		same(t, "ClusterRole", one[*rbacv1.ClusterRole](t, r).Name, "spreader-hub")
	},
}, {
	name:   "no leader election",
	values: "leaderElection: {enabled: false}",
	want: func(t *testing.T, r *release) {
		mustHave(t, r.container(t).Args, "--leader-elect=false")
		same(t, "strategy", r.deployment(t).Spec.Strategy.Type, "Recreate")
	},
}, {
	name:   "another Lease",
	values: "leaderElection: {resourceName: mine}",
	want: func(t *testing.T, r *release) {
		mustHave(t, r.container(t).Args, "--leader-elect-resource-name=mine")
		mustHave(t, jobs(r)[0].Spec.Template.Spec.Containers[0].Args, "--leader-elect-resource-name=mine")
		same(t, "Lease the hook may read", hooks[*rbacv1.Role](r)[0].Rules[1].ResourceNames, []string{"mine"})
	},
}, {
	name:   "flags and more arguments and variables",
	values: "flags: {concurrent-syncs: 2000000, probe-period: 1m30s, create-namespaces: false, v: 2, vmodule: 'a=1,b=2'}\nextraArgs: [--leader-elect-resource-namespace=elsewhere]\nextraEnv: [{name: GODEBUG, value: http2client=0}]",
	want: func(t *testing.T, r *release) {
		container := r.container(t)
		mustHave(t, container.Args, "--concurrent-syncs=2000000", "--probe-period=1m30s", "--create-namespaces=false", "--v=2", "--vmodule=a=1,b=2")
		same(t, "last argument", container.Args[len(container.Args)-1], "--leader-elect-resource-namespace=elsewhere")
		same(t, "variables", container.Env, []corev1.EnvVar{{Name: "GODEBUG", Value: "http2client=0"}})
	},
}, {
	name:   "an image from a registry",
	values: "image: {repository: example.com/team/fanout, tag: v1.2.3, pullPolicy: Always}\nimagePullSecrets: [{name: registry}]",
	want: func(t *testing.T, r *release) {
		same(t, "image", r.container(t).Image, "example.com/team/fanout:v1.2.3")
		same(t, "policy", r.container(t).ImagePullPolicy, "Always")
		for _, pod := range []corev1.PodSpec{r.pod(t), jobs(r)[0].Spec.Template.Spec} {
			same(t, "Secrets", pod.ImagePullSecrets, []corev1.LocalObjectReference{{Name: "registry"}})
		}
	},
}, {
	name:   "an image by digest",
	values: "image: {tag: v1.2.3, digest: 'sha256:" + strings.Repeat("0a", 32) + "'}",
	want: func(t *testing.T, r *release) {
		want := "fanout@sha256:" + strings.Repeat("0a", 32)
		same(t, "image", r.container(t).Image, want)
		same(t, "hook's image", jobs(r)[0].Spec.Template.Spec.Containers[0].Image, want)
	},
}, {
	name:   "a ServiceAccount of another name, with annotations",
	values: "serviceAccount: {name: pusher, annotations: {team: platform}}",
	want: func(t *testing.T, r *release) {
		account := one[*corev1.ServiceAccount](t, r)
		same(t, "account", account.Name, "pusher")
		same(t, "annotations", account.Annotations, map[string]string{"team": "platform"})
		same(t, "pod's", r.pod(t).ServiceAccountName, "pusher")
		same(t, "subject", one[*rbacv1.ClusterRoleBinding](t, r).Subjects[0].Name, "pusher")
	},
}, {
	name:   "a ServiceAccount that is there",
	values: "serviceAccount: {create: false, name: existing}",
	want: func(t *testing.T, r *release) {
		same(t, "accounts", len(all[*corev1.ServiceAccount](r))+len(hooks[*corev1.ServiceAccount](r)), 0)
		same(t, "pod's", r.pod(t).ServiceAccountName, "existing")
		same(t, "hook's", jobs(r)[0].Spec.Template.Spec.ServiceAccountName, "existing")
		for _, binding := range append(all[*rbacv1.RoleBinding](r), hooks[*rbacv1.RoleBinding](r)...) {
			same(t, "subject", binding.Subjects[0].Name, "existing")
		}
	},
}, {
	name:   "the default ServiceAccount",
	values: "serviceAccount: {create: false}",
	want: func(t *testing.T, r *release) {
		same(t, "pod's", r.pod(t).ServiceAccountName, "default")
	},
}, {
	name:   "rights that are there",
	values: "rbac: {create: false}",
	want: func(t *testing.T, r *release) {
		same(t, "kinds", r.kinds(), map[string]int{"ServiceAccount": 1, "Deployment": 1})
		same(t, "hook's rights", len(hooks[*rbacv1.Role](r))+len(hooks[*rbacv1.ClusterRole](r)), 0)
	},
}, {
	name:   "nothing to do after an uninstall",
	values: "releaseOnUninstall: {enabled: false}",
	want: func(t *testing.T, r *release) {
		for _, object := range r.untyped {
			if object.GetAnnotations()["helm.sh/hook"] != "" {
				t.Errorf("%s %s is a hook's", object.GetKind(), object.GetName())
			}
		}
	},
}, {
	name:   "more time after an uninstall",
	values: "releaseOnUninstall: {timeoutSeconds: 200}",
	want: func(t *testing.T, r *release) {
		job := jobs(r)[0]
		mustHave(t, job.Spec.Template.Spec.Containers[0].Args, "release", "--wait=200s")
		same(t, "deadline", *job.Spec.ActiveDeadlineSeconds, 260)
	},
}, {
	name:   "two replicas",
	values: "replicaCount: 2",
	want: func(t *testing.T, r *release) {
		same(t, "replicas", *r.deployment(t).Spec.Replicas, 2)
		budget := one[*policyv1.PodDisruptionBudget](t, r)
		same(t, "budget", budget.Spec.MaxUnavailable.IntValue(), 1)
		same(t, "budget's pods", budget.Spec.Selector, r.deployment(t).Spec.Selector)
		spread := r.pod(t).TopologySpreadConstraints
		same(t, "spread over", len(spread), 2)
		for _, constraint := range spread {
			same(t, "when it can't be had", constraint.WhenUnsatisfiable, corev1.ScheduleAnyway)
			same(t, "spread pods", constraint.LabelSelector, r.deployment(t).Spec.Selector)
		}
	},
}, {
	name:   "two replicas without a budget, spread otherwise",
	values: "replicaCount: 2\npodDisruptionBudget: {enabled: false}\ntopologySpreadConstraints: [{topologyKey: rack, maxSkew: 1, whenUnsatisfiable: DoNotSchedule}]",
	want: func(t *testing.T, r *release) {
		same(t, "budgets", len(all[*policyv1.PodDisruptionBudget](r)), 0)
		spread := r.pod(t).TopologySpreadConstraints
		same(t, "spread over", spread[0].TopologyKey, "rack")
		same(t, "spread pods", spread[0].LabelSelector, r.deployment(t).Spec.Selector)
	},
}, {
	name:   "a budget in percent",
	values: "replicaCount: 3\npodDisruptionBudget: {maxUnavailable: 50%}",
	want: func(t *testing.T, r *release) {
		same(t, "budget", one[*policyv1.PodDisruptionBudget](t, r).Spec.MaxUnavailable.String(), "50%")
	},
}, {
	name: "where it runs",
	values: `
resources: {requests: {cpu: "1", memory: 1Gi}, limits: {memory: 2Gi}}
priorityClassName: system-cluster-critical
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: infra, operator: Exists, effect: NoSchedule}]
affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: infra, operator: Exists}]}]}}}
terminationGracePeriodSeconds: 90
podAnnotations: {a: "1"}
podLabels: {b: "2", app.kubernetes.io/name: other}
commonLabels: {c: "3", app.kubernetes.io/instance: other}
extraVolumes: [{name: ca, configMap: {name: ca}}]
extraVolumeMounts: [{name: ca, mountPath: /ca}]`,
	want: func(t *testing.T, r *release) {
		d, pod := r.deployment(t), r.pod(t)
		container := r.container(t)
		same(t, "memory", container.Resources.Limits.Memory().String(), "2Gi")
		same(t, "priority", pod.PriorityClassName, "system-cluster-critical")
		same(t, "nodes", pod.NodeSelector, map[string]string{"kubernetes.io/os": "linux"})
		same(t, "tolerations", pod.Tolerations[0].Key, "infra")
		same(t, "affinity", pod.Affinity.NodeAffinity != nil, true)
		same(t, "grace", *pod.TerminationGracePeriodSeconds, 90)
		same(t, "mount", container.VolumeMounts[0].MountPath, "/ca")
		same(t, "volume", pod.Volumes[0].ConfigMap.Name, "ca")
		same(t, "annotation", d.Spec.Template.Annotations["a"], "1")
		same(t, "labels", d.Spec.Template.Labels, map[string]string{"app.kubernetes.io/name": "fanout", "app.kubernetes.io/instance": "fanout",
			"app.kubernetes.io/component": "controller", "b": "2", "c": "3"})
		for _, object := range r.untyped {
			labels := object.GetLabels()
			same(t, "common label of "+object.GetKind(), labels["c"]+labels["app.kubernetes.io/instance"], "3fanout")
		}
	},
}, {
	name:   "users of the platform's choice, as on OpenShift",
	values: "podSecurityContext: {runAsUser: null, runAsGroup: null}",
	want: func(t *testing.T, r *release) {
		context := r.pod(t).SecurityContext
		same(t, "context", context, &corev1.PodSecurityContext{RunAsNonRoot: context.RunAsNonRoot, SeccompProfile: context.SeccompProfile})
		same(t, "not root", *context.RunAsNonRoot, true)
	},
}, {
	name:   "another port, of IPv6 addresses",
	values: "bindAddress: '[::]'\nport: 9090\nserviceMonitor: {enabled: true}\nnetworkPolicy: {enabled: true}",
	want: func(t *testing.T, r *release) {
		mustHave(t, r.container(t).Args, "--bind-address=[::]:9090")
		same(t, "port", r.container(t).Ports[0].ContainerPort, 9090)
		same(t, "Service's", one[*corev1.Service](t, r).Spec.Ports[0].Port, 9090)
	},
}, {
	name:   "closed to all but those who ask for metrics",
	values: "networkPolicy: {enabled: true}",
	want: func(t *testing.T, r *release) {
		spec := one[*networkingv1.NetworkPolicy](t, r).Spec
		same(t, "pods", &spec.PodSelector, r.deployment(t).Spec.Selector)
		same(t, "types", spec.PolicyTypes, []networkingv1.PolicyType{"Ingress"})
		same(t, "port", spec.Ingress[0].Ports[0].Port.StrVal, r.container(t).Ports[0].Name)
		same(t, "peers", len(spec.Ingress[0].From), 0)
	},
}, {
	name:   "closed to all but Prometheus, and to where it goes",
	values: "networkPolicy: {enabled: true, from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}], egress: [{ports: [{port: 53, protocol: UDP}]}, {ports: [{port: 6443}]}]}",
	want: func(t *testing.T, r *release) {
		spec := one[*networkingv1.NetworkPolicy](t, r).Spec
		same(t, "types", spec.PolicyTypes, []networkingv1.PolicyType{"Ingress", "Egress"})
		same(t, "peers", len(spec.Ingress[0].From), 1)
		same(t, "rules", len(spec.Egress), 2)
	},
}, {
	name: "the page for whoever may see Canaries, from three replicas, behind a proxy",
	values: `
sharding: {enabled: true}
networkPolicy: {enabled: true}
extraVolumes: [{name: ca, configMap: {name: ca}}]
extraVolumeMounts: [{name: ca, mountPath: /ca}]
page:
  service: {enabled: true, type: LoadBalancer, port: 8080, annotations: {a: "1"}}
  port: 9443
  tls: {secretName: page-tls}
  proxy: {userHeader: X-Forwarded-User, groupsHeader: X-Forwarded-Groups, clientCASecretName: proxy-ca}
  from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}}]`,
	want: func(t *testing.T, r *release) {
		container, pod := r.container(t), r.pod(t)
		mustHave(t, container.Args, "--api-bind-address=127.0.0.1:8082,0.0.0.0:9443", "--api-tls-cert-file=/etc/fanout/page/tls/tls.crt", "--api-tls-private-key-file=/etc/fanout/page/tls/tls.key",
			"--api-proxy-user-header=X-Forwarded-User", "--api-proxy-groups-header=X-Forwarded-Groups", "--api-proxy-client-ca-file=/etc/fanout/page/proxy/ca.crt")
		service := one[*corev1.Service](t, r)
		same(t, "Service", service.Name+" "+string(service.Spec.Type)+" "+service.Annotations["a"], "fanout-page LoadBalancer 1")
		same(t, "Service's pods", service.Spec.Selector, r.deployment(t).Spec.Selector.MatchLabels)
		same(t, "Service's port", service.Spec.Ports[0].Port, 8080)
		same(t, "port", container.Ports[2], corev1.ContainerPort{Name: service.Spec.Ports[0].TargetPort.StrVal, ContainerPort: 9443})
		var mounted []string
		for i, volume := range pod.Volumes[:2] {
			same(t, "mount", container.VolumeMounts[i].Name, volume.Name)
			for _, item := range volume.Secret.Items {
				mounted = append(mounted, volume.Secret.SecretName+" "+container.VolumeMounts[i].MountPath+"/"+item.Path)
			}
		}
		same(t, "files", mounted, []string{"page-tls /etc/fanout/page/tls/tls.crt", "page-tls /etc/fanout/page/tls/tls.key", "proxy-ca /etc/fanout/page/proxy/ca.crt"})
		same(t, "volumes", len(pod.Volumes)+len(container.VolumeMounts), 6)
		rule := one[*networkingv1.NetworkPolicy](t, r).Spec.Ingress[2]
		same(t, "the port that is let through", rule.Ports[0].Port.String(), "page")
		same(t, "and for whom", rule.From[0].NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"], "ingress")
	},
}, {
	name:   "the page, behind a proxy in the pod",
	values: "page: {proxy: {userHeader: X-Forwarded-User}}\nextraContainers: [{name: proxy, image: proxy, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]",
	want: func(t *testing.T, r *release) {
		containers := r.pod(t).Containers
		same(t, "containers", len(containers), 2)
		same(t, "the other one", containers[1].Name, "proxy")
		mustHave(t, containers[0].Args, "--api-proxy-user-header=X-Forwarded-User")
		same(t, "Services", len(all[*corev1.Service](r)), 0)
	},
}, {
	name:   "scraped by the Prometheus operator",
	values: "serviceMonitor: {enabled: true, labels: {release: prometheus}, interval: 15s}",
	want: func(t *testing.T, r *release) {
		service := one[*corev1.Service](t, r)
		same(t, "Service's pods", service.Spec.Selector, r.deployment(t).Spec.Selector.MatchLabels)
		same(t, "Service's port", service.Spec.Ports[0].TargetPort.StrVal, r.container(t).Ports[0].Name)
		monitor := r.custom(t, "ServiceMonitor")
		same(t, "label", monitor.GetLabels()["release"], "prometheus")
		selector, _, _ := unstructured.NestedStringMap(monitor.Object, "spec", "selector", "matchLabels")
		for key, value := range selector {
			same(t, "Service's label "+key, service.Labels[key], value)
		}
		endpoints, _, _ := unstructured.NestedSlice(monitor.Object, "spec", "endpoints")
		same(t, "endpoint", endpoints, []any{map[string]any{"port": service.Spec.Ports[0].Name, "interval": "15s"}})
	},
}, {
	name:   "alerts",
	values: "prometheusRule: {enabled: true, labels: {release: prometheus}, runbookURL: https://wiki.example.com/fanout, credentialDays: {warning: 30, critical: 0.5}}",
	want: func(t *testing.T, r *release) {
		same(t, "label", r.custom(t, "PrometheusRule").GetLabels()["release"], "prometheus")
		for _, alert := range alerts(t, r) {
			if want := "https://wiki.example.com/fanout#" + strings.ToLower(alert.Alert); alert.Annotations["runbook_url"] != want {
				t.Errorf("the runbook of %s is %s, not %s", alert.Alert, alert.Annotations["runbook_url"], want)
			}
			if strings.Contains(alert.Expr, "ttl") && !strings.Contains(alert.Expr, "< 30 * 86400") && !strings.Contains(alert.Expr, "< 0.5 * 86400") {
				t.Errorf("%s asks %s", alert.Alert, alert.Expr)
			}
		}
	},
}, {
	name:   "a dashboard",
	values: "dashboard: {enabled: true, labels: {grafana_dashboard: null, dashboards: all}, annotations: {folder: fanout}}",
	want: func(t *testing.T, r *release) {
		board := one[*corev1.ConfigMap](t, r)
		same(t, "labels", board.Labels["dashboards"]+board.Labels["grafana_dashboard"], "all")
		same(t, "annotations", board.Annotations, map[string]string{"folder": "fanout"})
	},
}, {
	name:   "part of another chart",
	values: "enabled: true\nglobal: {region: eu}",
	want:   func(t *testing.T, r *release) { r.deployment(t) },
}}

func TestSwitches(t *testing.T) {
	for _, s := range switches {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.want(t, render(t, cmp.Or(s.release, "fanout"), system, s.values))
		})
	}
}

// same complains unless got is want.
func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if difference := gocmp.Diff(want, got); difference != "" {
		t.Errorf("%s (-want +got):\n%s", what, difference)
	}
}

func mustHave(t *testing.T, args []string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !slices.Contains(args, want) {
			t.Errorf("%s is not among the arguments %q", want, args)
		}
	}
}
