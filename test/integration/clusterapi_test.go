package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"fanout/pkg/rights"
	"fanout/test/controlplane"
	"fanout/test/faultproxy"
	"fanout/test/fixture"
)

var clusterObjects = schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"}

// Members that Cluster API made are selected by the labels of their Clusters, too. A label of the Secret counts first; a Cluster's
// takes effect at once, writes nothing where nothing changes, and is known again after a restart before anything is removed.
func TestSelectingByLabelsOfClusters(t *testing.T) {
	w := newWorld(t)
	w.installClusters(t)
	w.hub.LeastRights(t, "hub-capi.yaml", w.namespace)
	w.registerClusters(t, "eu-west-prod", "us-east-prod")
	w.register(t, "ap-south-dev")
	w.patchSecret(t, "us-east-prod-kubeconfig", `{"metadata":{"labels":{"region":"us"}}}`)
	w.cluster(t, "eu-west-prod", `"tier":"prod","region":"eu"`)
	w.cluster(t, "us-east-prod", `"tier":"dev","region":"eu","cluster.x-k8s.io/provider":"any"`)
	w.cluster(t, "ap-south-dev", `"tier":"prod"`) // of no Secret of Cluster API
	controller := w.startFanout(t, everyFormat)
	w.hub.Apply(t, w.canary("by-name", "*"))
	w.hub.Apply(t, w.canary("by-tier", "tier=prod"))
	w.hub.Apply(t, w.canary("by-region", "region=us"))
	w.hub.Apply(t, w.canary("by-mark", "cluster.x-k8s.io/provider=any"))
	w.expectHolders(t, "by-name", agents...)
	w.expectHolders(t, "by-tier", "eu-west-prod")
	w.expectHolders(t, "by-region", "us-east-prod")

	t.Log("a label changes on a Cluster, and on another what is none of fanout's business")
	w.cluster(t, "eu-west-prod", `"tier":"prod","region":"eu","topology.cluster.x-k8s.io/owned":""`)
	w.cluster(t, "us-east-prod", `"tier":"prod","region":"ap"`)
	w.expectHolders(t, "by-tier", "eu-west-prod", "us-east-prod")
	w.expectHolders(t, "by-region", "us-east-prod")

	t.Log("a restart removes nothing")
	for name, message := range map[string]string{
		"by-name": "3 agents: 3 pending; 3 in sync", "by-tier": "2 agents: 2 pending; 2 in sync", "by-region": "1 agent: 1 pending; 1 in sync",
		"by-mark": "0 agents: agentSelector matches none of those that are registered",
	} {
		w.expectShown(t, name, "Pending", message, nil)
	}
	controller.Stop(t)
	before := w.canaryWrites(t)
	w.startFanout(t, everyFormat)
	w.hub.Apply(t, w.canary("after", "*"))
	for _, agent := range agents {
		w.expectDerived(t, agent, "after")
	}
	for cluster, writes := range w.canaryWrites(t) {
		for _, write := range writes[len(before[cluster]):] {
			if write.Name != "after" {
				t.Errorf("%s: %s of %s", cluster, write.Verb, write.Name)
			}
		}
	}

	t.Log("a Cluster is deleted: what it was selected for by name, and by its Secret's own label, stays")
	w.removeCluster(t, "us-east-prod")
	w.expectHolders(t, "by-tier", "eu-west-prod")
	w.expectHolders(t, "by-region", "us-east-prod")
	w.expectHolders(t, "by-name", agents...)

	t.Log("and comes again")
	w.cluster(t, "us-east-prod", `"tier":"prod"`)
	w.expectHolders(t, "by-tier", "eu-west-prod", "us-east-prod")
	w.expectHolders(t, "by-mark")
	w.expectOneConnection(t, "eu-west-prod-kubeconfig", "us-east-prod-kubeconfig", "ap-south-dev")
	if got := w.accepted(t, "eu-west-prod"); !slices.Equal(got["by-tier"], []string{"patch"}) || !slices.Equal(got["by-name"], []string{"patch"}) {
		t.Errorf("in the member that all this was not about: %v", got)
	}
	if got := w.accepted(t, "us-east-prod"); !slices.Equal(got["by-tier"], []string{"patch", "delete", "patch"}) || !slices.Equal(got["by-region"], []string{"patch"}) {
		t.Errorf("in the member that it was about: %v", got)
	}
}

// Where fanout may not read Clusters, the labels of Secrets count alone, and the Secret says which right is missing. One that is
// given counts soon; one that is taken away later leaves the labels as they were last known.
func TestClustersThatMayNotBeRead(t *testing.T) {
	w := newWorld(t)
	w.installClusters(t)
	w.registerClusters(t, "eu-west-prod", "us-east-prod")
	w.patchSecret(t, "us-east-prod-kubeconfig", `{"metadata":{"labels":{"tier":"prod"}}}`)
	w.cluster(t, "eu-west-prod", `"tier":"prod"`)
	w.cluster(t, "us-east-prod", `"tier":"dev"`)
	_, hub := w.startFanoutBehindProxy(t, everyFormat, "--probe-period=300ms", "--probe-timeout=2s")
	w.hub.Apply(t, w.canary("by-tier", "tier=prod"))
	w.hub.Apply(t, w.canary("by-name", "*"))
	w.expectHolders(t, "by-tier", "us-east-prod")
	w.expectHolders(t, "by-name", "eu-west-prod", "us-east-prod")
	w.expectSecretEvent(t, "eu-west-prod-kubeconfig", "ClusterLabelsUnread", "fanout may not get the CRD clusters.cluster.x-k8s.io; grant it what docs/manifests/hub-capi.yaml has")
	w.expectHolders(t, "by-tier", "us-east-prod")

	t.Log("the right is given")
	w.hub.LeastRights(t, "hub-capi.yaml", w.namespace)
	w.expectHolders(t, "by-tier", "eu-west-prod", "us-east-prod")

	t.Log("and taken away")
	if err := w.hub.Kube.RbacV1().Roles(w.namespace).Delete(t.Context(), "fanout-capi", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	right := rights.Right{Verb: "watch", Group: clusterObjects.Group, Resource: clusterObjects.Resource, Namespace: w.namespace}
	fixture.Eventually(t, "the hub knows that it is", func() error {
		missing, err := rights.Missing(t.Context(), w.hub.Dynamic, "system:serviceaccount:"+w.namespace+":fanout", []rights.Right{right})
		return errors.Join(err, fixture.Same("the number of missing rights", len(missing), 1))
	})
	hub.Reset()
	w.cluster(t, "eu-west-prod", `"tier":"dev"`)
	w.removeCluster(t, "us-east-prod")
	w.patchSecret(t, "us-east-prod-kubeconfig", `{"metadata":{"labels":{"region":"us"}}}`)
	w.hub.Apply(t, w.canary("by-region", "region=us"))
	w.expectHolders(t, "by-region", "us-east-prod") // the Secret's labels still take effect
	w.hub.Apply(t, w.canary("later", "tier=prod"))
	w.expectHolders(t, "later", "eu-west-prod", "us-east-prod")
	w.expectHolders(t, "by-tier", "eu-west-prod", "us-east-prod")
	w.expectOneConnection(t, "eu-west-prod-kubeconfig", "us-east-prod-kubeconfig")
	for _, agent := range []string{"eu-west-prod", "us-east-prod"} {
		if got := w.accepted(t, agent)["by-tier"]; !slices.Equal(got, []string{"patch"}) {
			t.Errorf("by-tier in %s: %v", agent, got)
		}
	}
}

// While the hub does not answer what labels a Cluster has, its member takes part in nothing, unless they were known before: then
// they stay the last known.
func TestClustersThatAreUnknown(t *testing.T) {
	w := newWorld(t)
	w.installClusters(t)
	w.hub.LeastRights(t, "hub-capi.yaml", w.namespace)
	w.registerClusters(t, "eu-west-prod")
	w.register(t, "us-east-prod")
	w.patchSecret(t, "us-east-prod", `{"metadata":{"labels":{"tier":"prod"}}}`)
	w.cluster(t, "eu-west-prod", `"tier":"prod"`)
	flags := []string{everyFormat, "--probe-period=300ms", "--probe-timeout=2s", "--leader-elect=false"}
	first, _ := w.startFanoutBehindProxy(t, flags...)
	for _, name := range []string{"stays", "goes"} {
		w.hub.Apply(t, w.canary(name, "tier=prod"))
		w.expectHolders(t, name, "eu-west-prod", "us-east-prod")
	}
	first.Stop(t)
	w.hub.Delete(t, w.canaries, "goes")
	w.hub.Apply(t, w.canary("comes", "*"))

	proxy := faultproxy.Start(t, w.hub.Config)
	heal := proxy.Answer(500, faultproxy.Match{Resource: "clusters"})
	second := w.startFanoutAt(t, proxy, flags...)
	w.expectSecretEvent(t, "eu-west-prod-kubeconfig", "ClusterLabelsUnknown", "before anything is written or removed")
	w.expectHolders(t, "goes", "eu-west-prod")
	w.expectHolders(t, "comes", "us-east-prod")
	w.expectState(t, second, "Connecting", 1)
	w.patchSecret(t, "eu-west-prod-kubeconfig", `{"metadata":{"labels":{"touched":"yes"}}}`)
	w.hub.Apply(t, w.canary("marker", "us-east-prod"))
	w.expectHolders(t, "marker", "us-east-prod")
	w.expectHolders(t, "goes", "eu-west-prod")
	w.expectHolders(t, "comes", "us-east-prod")

	heal()
	w.expectHolders(t, "goes")
	w.expectHolders(t, "comes", "eu-west-prod", "us-east-prod")
	w.expectState(t, second, "Connected", 2)

	t.Log("it does not answer again: its Cluster is deleted meanwhile, and another's comes")
	w.registerClusters(t, "ap-south-dev")
	w.expectHolders(t, "comes", agents...)
	heal = proxy.Answer(500, faultproxy.Match{Resource: "clusters"})
	proxy.Reset()
	w.removeCluster(t, "eu-west-prod")
	w.cluster(t, "ap-south-dev", `"tier":"prod"`)
	w.hub.Apply(t, w.canary("later", "tier=prod"))
	w.expectHolders(t, "later", "eu-west-prod", "us-east-prod")
	heal()
	w.expectHolders(t, "later", "us-east-prod", "ap-south-dev")
	w.expectHolders(t, "stays", "us-east-prod", "ap-south-dev")
	if got := w.accepted(t, "eu-west-prod")["stays"]; !slices.Equal(got, []string{"patch", "delete"}) {
		t.Errorf("stays was written by %v", got)
	}
}

// Clusters that go with their CRD are not believed to be gone, and those of a CRD that was never there are not waited for.
func TestClustersWithoutTheirCRD(t *testing.T) {
	w := newWorld(t)
	w.hub.LeastRights(t, "hub-capi.yaml", w.namespace)
	w.registerClusters(t, "eu-west-prod")
	w.patchSecret(t, "eu-west-prod-kubeconfig", `{"metadata":{"labels":{"region":"eu"}}}`)
	w.startFanout(t, everyFormat, "--probe-period=300ms", "--probe-timeout=2s")
	w.hub.Apply(t, w.canary("by-region", "region=eu"))
	w.hub.Apply(t, w.canary("by-tier", "tier=prod"))
	w.expectHolders(t, "by-region", "eu-west-prod")
	w.expectSecretEvent(t, "eu-west-prod-kubeconfig", "ClusterLabelsUnread", "the hub has no CRD clusters.cluster.x-k8s.io")

	t.Log("Cluster API is installed")
	w.installClusters(t)
	created := w.cluster(t, "eu-west-prod", `"tier":"prod"`)
	w.expectHolders(t, "by-tier", "eu-west-prod")

	t.Log("and removed, with all Clusters")
	aSecondAfter(t, created) // so that the next CRD is younger than the Cluster, by times that count in seconds
	w.removeClusters(t)
	w.patchSecret(t, "eu-west-prod-kubeconfig", `{"metadata":{"labels":{"touched":"yes"}}}`)
	w.hub.Apply(t, w.canary("meanwhile", "tier=prod,touched=yes"))
	w.expectHolders(t, "meanwhile", "eu-west-prod")

	t.Log("and installed again, with its Clusters still on their way")
	w.installClusters(t)
	w.registerClusters(t, "us-east-prod")
	w.cluster(t, "us-east-prod", `"tier":"prod"`)
	w.expectHolders(t, "meanwhile", "eu-west-prod")
	w.expectHolders(t, "by-tier", "eu-west-prod", "us-east-prod") // so it has listed the new ones
	w.patchSecret(t, "eu-west-prod-kubeconfig", `{"metadata":{"labels":{"touched":"twice"}}}`)
	w.expectHolders(t, "meanwhile")
	w.expectHolders(t, "by-tier", "eu-west-prod", "us-east-prod")
	if got := w.accepted(t, "eu-west-prod")["by-tier"]; !slices.Equal(got, []string{"patch"}) {
		t.Errorf("by-tier was written by %v", got)
	}

	t.Log("and the Cluster is there again, and deleted by somebody")
	w.cluster(t, "eu-west-prod", `"tier":"prod","back":"yes"`)
	w.hub.Apply(t, w.canary("back", "back=yes"))
	w.expectHolders(t, "back", "eu-west-prod")
	w.removeCluster(t, "eu-west-prod")
	w.expectHolders(t, "back")
	w.expectHolders(t, "by-tier", "us-east-prod")
	w.expectHolders(t, "by-region", "eu-west-prod")
}

// installClusters installs the CRD of Cluster API's Clusters in the hub, until the test ends.
func (w *world) installClusters(t *testing.T) {
	t.Helper()
	if err := w.hub.InstallCRD(t.Context(), "testdata/clusters.yaml"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.removeClusters(t) })
}

// removeClusters deletes that CRD, and all Clusters with it.
func (w *world) removeClusters(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // for cleanups, too
	defer cancel()
	name := clusterObjects.GroupResource().String()
	definitions := w.hub.Dynamic.Resource(controlplane.Definitions)
	if err := definitions.Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Error(err)
	}
	err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		_, err := definitions.Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
	if err != nil {
		t.Errorf("the CRD %s is not gone: %v", name, err)
	}
}

// registerClusters has Cluster API's Secrets lead to those members.
func (w *world) registerClusters(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		w.hub.RegisterClusterAPI(t, w.namespace, name, w.members[name].LeastRights(t, "member.yaml", w.namespace))
	}
}

// cluster has a Cluster with those labels, given as JSON, and no others. It returns when it was created.
func (w *world) cluster(t *testing.T, name, labels string) time.Time {
	t.Helper()
	body := fmt.Sprintf(`{"apiVersion":%q,"kind":"Cluster","metadata":{"name":%q,"labels":{%s}}}`, clusterObjects.GroupVersion(), name, labels)
	applied, err := w.hub.Dynamic.Resource(clusterObjects).Namespace(w.namespace).
		Patch(t.Context(), name, types.ApplyPatchType, []byte(body), metav1.PatchOptions{FieldManager: "user"})
	if err != nil {
		t.Fatal(err)
	}
	return applied.GetCreationTimestamp().Time
}

func (w *world) removeCluster(t *testing.T, name string) {
	t.Helper()
	if err := w.hub.Dynamic.Resource(clusterObjects).Namespace(w.namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// expectOneConnection fails if a member was connected to more than once.
func (w *world) expectOneConnection(t *testing.T, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		connected := slices.DeleteFunc(w.eventsOn(t, secret), func(event string) bool { return !strings.HasPrefix(event, "Connected") })
		if len(connected) != 1 {
			t.Errorf("%s was connected by %v", secret, connected)
		}
	}
}

// accepted returns the verbs of fanout's writes that a member accepted, by the Canary's name.
func (w *world) accepted(t *testing.T, agent string) map[string][]string {
	t.Helper()
	verbs := map[string][]string{}
	for name, writes := range w.fanoutWrites(t, agent) {
		for _, write := range writes {
			if write.Code < 300 {
				verbs[name] = append(verbs[name], write.Verb)
			}
		}
	}
	return verbs
}
