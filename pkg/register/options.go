package register

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/rest"

	"fanout/pkg/fanout/derive"
)

// Options say which member is registered with which hub, and how.
type Options struct {
	// Agent is the member's name, and its Secret's.
	Agent string
	// Hub and Member are the two clusters, as the person who registers reaches them.
	Hub, Member *rest.Config
	// ClusterNamespace is the hub's namespace of the Secrets, and LeaseName the controller's Lease in it.
	ClusterNamespace, LeaseName string

	// MemberNamespace and ServiceAccount are the identity in the member.
	MemberNamespace, ServiceAccount string
	// Namespaces are those of the member that fanout may write to: nil to leave that open in a new registration, "*" for all.
	Namespaces []string
	// TokenDuration is how long the token lasts that is asked for. Zero asks for one that lasts until its Secret is deleted.
	TokenDuration time.Duration
	// Server is the address under which the hub reaches the member, "" for that of Member.
	Server string
	// Labels are set on the Secret. Those that are there already stay.
	Labels map[string]string

	// Wait is how long the controller may take to say what it thinks of it. Zero asks nobody.
	Wait time.Duration
	// DryRun changes nothing.
	DryRun DryRun

	UserAgent string
	// Timeout bounds one request.
	Timeout time.Duration
	// Out is told each step, in a line.
	Out io.Writer
}

// DryRun says how far a run goes.
type DryRun string

// As kubectl knows them.
const (
	DryRunNone   DryRun = "none"
	DryRunClient DryRun = "client" // read what is there, and say what would be done
	DryRunServer DryRun = "server" // have the servers check it as well
)

// everyNamespace, as the only one of Options.Namespaces, sets no limit.
const everyNamespace = "*"

// Validate returns all that is wrong with what was asked for, as far as that shows without asking a cluster.
func (o *Options) Validate() error {
	var faults []error
	if o.Agent == derive.LocalAgent {
		faults = append(faults, fmt.Errorf("the name %q means the hub itself, which needs no registration: give the member another name", o.Agent))
	}
	for _, fault := range content.IsDNS1123Subdomain(o.Agent) {
		faults = append(faults, fmt.Errorf("the name %q can't be a member's: %s", o.Agent, fault))
	}
	for _, namespace := range []struct{ flag, name string }{{"cluster-namespace", o.ClusterNamespace}, {"member-namespace", o.MemberNamespace}} {
		for _, fault := range content.IsDNS1123Label(namespace.name) {
			faults = append(faults, fmt.Errorf("--%s %q: %s", namespace.flag, namespace.name, fault))
		}
	}
	for _, fault := range content.IsDNS1123Subdomain(o.ServiceAccount) {
		faults = append(faults, fmt.Errorf("--service-account %q: %s", o.ServiceAccount, fault))
	}
	if !slices.Equal(o.Namespaces, []string{everyNamespace}) {
		for _, namespace := range o.Namespaces {
			for _, fault := range content.IsDNS1123Label(namespace) {
				faults = append(faults, fmt.Errorf("--namespaces %q: %s; or give '*' alone, for all", namespace, fault))
			}
		}
	}
	for _, fault := range metav1validation.ValidateLabels(o.Labels, field.NewPath("--labels")) {
		faults = append(faults, fault)
	}
	if o.TokenDuration != 0 && o.TokenDuration < minTokenDuration {
		faults = append(faults, fmt.Errorf("--token-duration: must be at least %s, which is the shortest that an API server grants, or 0 for a token without end", minTokenDuration))
	}
	if o.Wait < 0 {
		faults = append(faults, fmt.Errorf("--wait: must not be negative"))
	}
	switch o.DryRun {
	case DryRunNone, DryRunClient, DryRunServer:
	default:
		faults = append(faults, fmt.Errorf("--dry-run %q: must be none, client or server", o.DryRun))
	}
	return errors.Join(faults...)
}

// minTokenDuration is the shortest validity that the TokenRequest API accepts.
const minTokenDuration = 10 * time.Minute

// limited tells whether fanout is to write to some of the member's namespaces only.
func (o *Options) limited() bool {
	return o.Namespaces != nil && !slices.Equal(o.Namespaces, []string{everyNamespace})
}

// dryRunOptions are what a write carries.
func (o *Options) dryRunOptions() []string {
	if o.DryRun == DryRunServer {
		return []string{metav1.DryRunAll}
	}
	return nil
}
