package check

import (
	"context"
	"fmt"
	"slices"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"fanout/docs/manifests"
	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/lease"
	"fanout/pkg/rights"
)

// Status is how one check went.
type Status string

// A check is OK or Failed; where it could not be made, Unknown, which is no failure.
const (
	OK      Status = "ok"
	Failed  Status = "failed"
	Unknown Status = "unknown"
)

// Result is one line: what was looked at, what was found, and the next step where something stands in the way.
type Result struct {
	Check   string `json:"check"`
	Status  Status `json:"status"`
	Message string `json:"message"`
	Next    string `json:"next,omitempty"`
}

// Options say what is looked at, and as whom.
type Options struct {
	Hub              *rest.Config
	ClusterNamespace string
	LeaseName        string
	ServiceAccount   string           // as which the controller runs
	Formats          clusters.Formats // of registrations
	Before           bool             // before it is installed
	Page             bool             // those who come for the page are asked who they are
	Members          bool             // reach them as well, from here
	UserAgent        string
	Timeout          time.Duration // of a request
}

// hub is what the checks ask.
type hub struct {
	Options
	kube   kubernetes.Interface
	client dynamic.Interface
	tell   func(Result)
}

// Run makes all checks and tells each as soon as it is made. It returns an error if none could be.
func Run(ctx context.Context, o Options, tell func(Result)) error {
	kube, err := kubernetes.NewForConfig(o.Hub)
	if err != nil {
		return fmt.Errorf("connect to the hub: %w", err)
	}
	client, err := dynamic.NewForConfig(o.Hub)
	if err != nil {
		return fmt.Errorf("connect to the hub: %w", err)
	}
	h := &hub{o, kube, client, tell}
	if !h.server() {
		return nil
	}
	h.crd(ctx)
	if o.Before {
		h.mayInstall(ctx)
		return nil
	}
	h.rights(ctx)
	leads := h.lease(ctx)
	h.deployment(ctx, leads)
	h.registrations(ctx)
	return nil
}

func (h *hub) ok(check, format string, args ...any) {
	h.tell(Result{Check: check, Status: OK, Message: fmt.Sprintf(format, args...)})
}

func (h *hub) failed(check, message, next string) {
	h.tell(Result{Check: check, Status: Failed, Message: message, Next: next})
}

// unknown tells that a check could not be made, as where the right to look is missing.
func (h *hub) unknown(check string, err error) {
	h.tell(Result{Check: check, Status: Unknown, Message: "could not be looked at: " + err.Error()})
}

func (h *hub) server() bool {
	version, err := h.kube.Discovery().ServerVersion()
	if err != nil {
		h.failed("hub", fmt.Sprintf("%s: %v", h.Hub.Host, err), "see that the address and the credential of --kubeconfig and --context are right")
		return false
	}
	h.ok("hub", "Kubernetes %s at %s", version.GitVersion, h.Hub.Host)
	return true
}

func (h *hub) crd(ctx context.Context) {
	const check, install = "crd", "install canary-checker's CRDs in the hub"
	name := derive.Canaries.GroupResource().String()
	crd, err := h.client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}).
		Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		h.failed(check, "the hub has no CRD "+name, install)
		return
	case err != nil:
		h.unknown(check, err)
		return
	case crd.GetDeletionTimestamp() != nil:
		h.failed(check, name+" is being deleted, with all Canaries", "wait until it is gone, and "+install)
		return
	case !serves(crd, derive.Canaries.Version):
		h.failed(check, fmt.Sprintf("%s does not serve the version %s", name, derive.Canaries.Version), "bring canary-checker's CRDs in the hub up to date")
		return
	}
	h.ok(check, "%s/%s is served", name, derive.Canaries.Version)
}

func serves(crd *unstructured.Unstructured, version string) bool {
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	return slices.ContainsFunc(versions, func(each any) bool {
		fields, ok := each.(map[string]any)
		return ok && fields["name"] == version && fields["served"] == true
	})
}

// mayInstall asks for what the chart creates.
func (h *hub) mayInstall(ctx context.Context) {
	const check = "installing"
	create := func(group, resource, namespace string) rights.Right {
		return rights.Right{Verb: "create", Group: group, Resource: resource, Namespace: namespace}
	}
	missing, err := rights.Missing(ctx, h.client, rights.Self, []rights.Right{
		create("rbac.authorization.k8s.io", "clusterroles", ""),
		create("rbac.authorization.k8s.io", "clusterrolebindings", ""),
		create("rbac.authorization.k8s.io", "roles", h.ClusterNamespace),
		create("rbac.authorization.k8s.io", "rolebindings", h.ClusterNamespace),
		create("", "serviceaccounts", h.ClusterNamespace),
		create("", "secrets", h.ClusterNamespace),
		create("apps", "deployments", h.ClusterNamespace),
		create("policy", "poddisruptionbudgets", h.ClusterNamespace),
	})
	switch {
	case err != nil:
		h.unknown(check, err)
	case len(missing) > 0:
		h.failed(check, fmt.Sprintf("you may not %s", missing), "ask an administrator of the hub for these rights, or to install fanout")
	default:
		h.ok(check, "you may create what the chart does, in namespace %s", h.ClusterNamespace)
	}
}

const install = "install the chart: helm install fanout charts/fanout --namespace %s --create-namespace"

// rights asks for those of docs/manifests/hub.yaml, and of hub-page.yaml.
func (h *hub) rights(ctx context.Context) {
	const check = "rights"
	wanted, err := h.wantedRights()
	if err != nil {
		h.unknown(check, err)
		return
	}
	account := h.ClusterNamespace + "/" + h.ServiceAccount
	missing, err := rights.Missing(ctx, h.client, "system:serviceaccount:"+h.ClusterNamespace+":"+h.ServiceAccount, wanted)
	switch {
	case err != nil:
		h.unknown(check, err)
	case len(missing) > 0:
		h.failed(check, fmt.Sprintf("the ServiceAccount %s may not %s", account, missing), fmt.Sprintf(install, h.ClusterNamespace)+"; or name the ServiceAccount that fanout runs as, with --service-account")
	default:
		h.ok(check, "the ServiceAccount %s has all %d", account, len(wanted))
	}
}

func (h *hub) wantedRights() ([]rights.Right, error) {
	var wanted []rights.Right
	objects := manifests.Hub()
	if h.Page {
		objects = append(objects, manifests.HubPage()...)
	}
	for _, object := range objects {
		namespace := ""
		switch object.GetKind() {
		case "ClusterRole":
		case "Role":
			namespace = h.ClusterNamespace
		default:
			continue
		}
		role := &rbacv1.Role{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, role); err != nil {
			return nil, err
		}
		wanted = append(wanted, rights.Of(role.Rules, namespace)...)
	}
	return wanted, nil
}

// lease tells whether a controller leads.
func (h *hub) lease(ctx context.Context) bool {
	const check = "lease"
	holder, _, err := lease.Holder(ctx, h.kube, h.ClusterNamespace, h.LeaseName, time.Now())
	switch {
	case err != nil:
		h.unknown(check, err)
		return false
	case holder == "":
		h.failed(check, fmt.Sprintf("nobody holds the Lease %s/%s, so no controller works", h.ClusterNamespace, h.LeaseName),
			fmt.Sprintf("see why none does: kubectl -n %s logs deployment/fanout. Without one, ", h.ClusterNamespace)+fmt.Sprintf(install, h.ClusterNamespace))
		return false
	}
	h.ok(check, "%s works", holder)
	return true
}
