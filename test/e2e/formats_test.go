package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"testing"
)

// formats registers one member by the Secret that Cluster API keeps for a cluster, and another by Argo CD's.
func formats(t *testing.T, w *world) {
	in := w.aNamespace(t, "formats")
	capi, argo := w.members[0], w.members[1]
	w.install(t, chart, append(quick, "--set", "registration={native,capi,argocd}")...)
	t.Cleanup(func() { w.install(t, chart, quick...) })
	w.deregister(t, capi.name)
	w.deregister(t, argo.name)
	t.Cleanup(func() {
		w.hub.kubectl(t, "--namespace", namespace, "delete", "secret", "workload-1-kubeconfig", "cluster-workload-2", "--ignore-not-found", "--timeout=1m")
		w.register(t, capi)
		w.register(t, argo)
	})

	w.hub.apply(t, parent(in, "api-health", "workload-*"))
	w.hub.apply(t, aSecret("workload-1-kubeconfig", "cluster.x-k8s.io/secret", map[string]string{"cluster.x-k8s.io/cluster-name": "workload-1"},
		map[string]string{"value": capi.admin(t)}))
	w.isIn(t, in, "api-health", capi)
	w.hub.apply(t, aSecret("cluster-workload-2", "Opaque", map[string]string{"argocd.argoproj.io/secret-type": "cluster"},
		map[string]string{"name": "workload-2", "server": argo.server(), "config": argoConfig(t, argo.admin(t)), "project": "default"}))
	w.isIn(t, in, "api-health", capi, argo)

	for secret, agent := range map[string]string{"workload-1-kubeconfig": "workload-1", "cluster-workload-2": "workload-2"} {
		w.hub.mentions(t, "Connected", "--namespace", namespace, "get", "events", "--field-selector=involvedObject.name="+secret)
		if said := run(t, "fanout", "check", "--context", w.hub.context(), "--registration=native,capi,argocd"); !regexp.MustCompile("✓ member " + agent).MatchString(said) {
			t.Errorf("fanout check does not know %s:\n%s", agent, said)
		}
	}
	t.Run("Their deletion cleans the members", func(t *testing.T) {
		w.hub.kubectl(t, "--namespace", namespace, "delete", "secret", "workload-1-kubeconfig", "--timeout=1m")
		w.isIn(t, in, "api-health", argo)
		w.hub.kubectl(t, "--namespace", namespace, "delete", "secret", "cluster-workload-2", "--timeout=1m")
		w.isIn(t, in, "api-health")
	})
}

// admin is the kubeconfig of a cluster's administrator, with the address by which the other clusters find it.
func (c *cluster) admin(t *testing.T) string {
	t.Helper()
	return run(t, "docker", "exec", c.node(), "cat", "/etc/kubernetes/admin.conf")
}

// argoConfig is what Argo CD would write for a client certificate.
func argoConfig(t *testing.T, kubeconfig string) string {
	t.Helper()
	part := func(name string) string {
		match := regexp.MustCompile(name + `: (\S+)`).FindStringSubmatch(kubeconfig)
		if match == nil {
			t.Fatalf("the administrator's kubeconfig has no %s", name)
		}
		return match[1]
	}
	text, err := json.Marshal(map[string]any{"tlsClientConfig": map[string]any{
		"insecure": false, "caData": part("certificate-authority-data"), "certData": part("client-certificate-data"), "keyData": part("client-key-data"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// aSecret is the manifest of one in fanout's namespace.
func aSecret(name, kind string, labels, data map[string]string) string {
	encoded := map[string]string{}
	for key, value := range data {
		encoded[key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	text, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": kind, "data": encoded,
		"metadata": map[string]any{"name": name, "namespace": namespace, "labels": labels},
	})
	if err != nil {
		panic(fmt.Sprint("maps of strings: ", err))
	}
	return string(text)
}
