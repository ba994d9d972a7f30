package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// failover has the controller die, freeze, and be frozen with its node, while it has work.
func failover(t *testing.T, w *world) {
	in := w.aNamespace(t, "failover")
	t.Run("The pod is killed under load", func(t *testing.T) {
		const count = 60
		var manifests strings.Builder
		want := map[*cluster][]string{}
		for i := range count {
			name := fmt.Sprintf("load-%03d", i)
			manifests.WriteString(parent(in, name, "*"))
			for _, member := range w.members {
				want[member] = append(want[member], name)
			}
		}
		applied := make(chan error, 1)
		go func() {
			_, err := tryWith(manifests.String(), "kubectl", "--context", w.hub.context(), "apply", "--filename=-")
			applied <- err
		}()
		eventually(t, "some have arrived", func() error {
			copies, err := w.members[0].canaries(in)
			if err == nil && len(copies) < 3 {
				err = fmt.Errorf("%d have", len(copies))
			}
			return err
		})
		leader := w.leader(t)
		w.hub.kubectl(t, "--namespace", namespace, "delete", "pod", leader, "--grace-period=0", "--force")
		if err := <-applied; err != nil {
			t.Fatal(err)
		}
		w.hold(t, in, want)
		if now := w.leader(t); now == leader {
			t.Errorf("%s still leads, so it was not killed", now)
		}
		w.hub.kubectl(t, "--namespace", in, "delete", "canaries", "--all")
		w.hold(t, in, nil)
	})
	const name = "api-health"
	schedule := func(text string) string { return strings.ReplaceAll(parent(in, name, "*"), "@never", text) }
	w.hub.apply(t, schedule("@every 1h"))
	w.isIn(t, in, name, w.members...)

	t.Run("Of two replicas the leader freezes", func(t *testing.T) {
		w.install(t, chart, append(quick, "--set", "replicaCount=2")...)
		w.hub.shows(t, "2", "--namespace", namespace, "get", "deployment", "fanout", "--output=jsonpath={.status.readyReplicas}")
		leader := w.leader(t)
		thaw := w.hub.freeze(t, leader)
		w.anotherLeadsThan(t, leader)
		w.hub.apply(t, schedule("@every 2h"))
		w.isIn(t, in, name, w.members...)
		thaw()
		w.hub.shows(t, "2", "--namespace", namespace, "get", "deployment", "fanout", "--output=jsonpath={.status.readyReplicas}")
		w.isIn(t, in, name, w.members...)
	})
	// Where a cluster has one node, the leader's can't be frozen without the API server that the others need. So the leader is a
	// candidate that runs in a member, as whoever installs without the chart has it.
	t.Run("The leader's node freezes", func(t *testing.T) {
		at := w.members[len(w.members)-1]
		others := w.but(at)
		w.hub.kubectl(t, "--namespace", namespace, "scale", "deployment", "fanout", "--replicas=0")
		w.candidate(t, at)
		eventually(t, "the candidate leads", func() error {
			if now := w.leads(); !strings.HasPrefix(now, "candidate") {
				return fmt.Errorf("%q does", now)
			}
			return nil
		})
		w.hub.apply(t, schedule("@every 3h"))
		w.isIn(t, in, name, w.members...)
		w.hub.kubectl(t, "--namespace", namespace, "scale", "deployment", "fanout", "--replicas=2")
		w.hub.kubectl(t, "--namespace", namespace, "rollout", "status", "deployment/fanout", "--timeout", patience.String())
		at.pause(t)
		w.anotherLeadsThan(t, "candidate")
		w.hub.apply(t, schedule("@every 4h"))
		w.among(others, func() { w.isIn(t, in, name, others...) })
		at.goOn(t)
		w.isIn(t, in, name, w.members...)
		if now := w.leads(); strings.HasPrefix(now, "candidate") {
			t.Errorf("%s leads again, though another does", now)
		}
		at.mentions(t, "Lost the lease", "--namespace", namespace, "logs", "candidate")
		at.kubectl(t, "--namespace", namespace, "delete", "pod,secret", "candidate")
	})
	w.install(t, chart, quick...)
}

// leads is who holds the Lease.
func (w *world) leads() string {
	holder, _ := w.hub.try("--namespace", namespace, "get", "lease", "fanout", "--output=jsonpath={.spec.holderIdentity}")
	return holder
}

// leader is the pod that leads, as soon as one does.
func (w *world) leader(t *testing.T) string {
	t.Helper()
	var pod string
	eventually(t, "a pod leads", func() error {
		pod, _, _ = strings.Cut(w.leads(), "_")
		_, err := w.hub.try("--namespace", namespace, "get", "pod", pod)
		return err
	})
	return pod
}

func (w *world) anotherLeadsThan(t *testing.T, pod string) {
	t.Helper()
	eventually(t, "another leads than "+pod, func() error {
		if now := w.leads(); now == "" || strings.HasPrefix(now, pod) {
			return fmt.Errorf("%q does", now)
		}
		return nil
	})
}

// freeze stops the process of a pod where it stands, until thaw is called or the kubelet gives up on it.
func (c *cluster) freeze(t *testing.T, pod string) (thaw func()) {
	t.Helper()
	container := strings.TrimSpace(run(t, "docker", "exec", c.node(), "crictl", "ps", "--quiet", "--label", "io.kubernetes.pod.name="+pod))
	pid := strings.TrimSpace(run(t, "docker", "exec", c.node(), "crictl", "inspect", "--output=go-template", "--template={{.info.pid}}", container))
	run(t, "docker", "exec", c.node(), "kill", "-STOP", pid)
	return func() { _, _ = try("docker", "exec", c.node(), "kill", "-CONT", pid) }
}

// candidate has a controller of this hub run in a member.
func (w *world) candidate(t *testing.T, member *cluster) {
	t.Helper()
	member.apply(t, aSecret("candidate", "Opaque", nil, map[string]string{"kubeconfig": w.hub.admin(t)}))
	image := w.hub.kubectl(t, "--namespace", namespace, "get", "deployment", "fanout", "--output=jsonpath={.spec.template.spec.containers[0].image}")
	member.apply(t, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: candidate, namespace: %s}
spec:
  containers:
    - name: fanout
      image: %s
      imagePullPolicy: IfNotPresent
      args: [controller, --kubeconfig=/hub/kubeconfig, --cluster-namespace=%[1]s, --probe-period=2s, --probe-timeout=2s]
      volumeMounts: [{name: hub, mountPath: /hub}]
  volumes: [{name: hub, secret: {secretName: candidate}}]
`, namespace, image))
	t.Cleanup(func() {
		_, _ = member.try("--namespace", namespace, "delete", "pod,secret", "candidate", "--ignore-not-found", "--wait=false")
	})
}
