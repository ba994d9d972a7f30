package register

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// say tells a step that has been done.
func (o *Options) say(format string, args ...any) {
	suffix := ""
	if o.DryRun == DryRunClient || o.DryRun == DryRunServer {
		suffix = fmt.Sprintf(" (%s dry run)", o.DryRun)
	}
	fmt.Fprintf(o.Out, format+suffix+"\n", args...)
}

// warn tells what is not as it should be and stops nothing.
func (o *Options) warn(format string, args ...any) {
	fmt.Fprintf(o.Out, "Warning: "+format+"\n", args...)
}

// done names what happened to an object by its versions before, "" where there was none, and after.
func (o *Options) done(before, after string) string {
	switch {
	case before == "":
		return "created"
	case before == after:
		return "unchanged"
	default:
		return "configured"
	}
}

// inHub words an error of the hub, with the next step where a right is missing.
func (o *Options) inHub(what string, err error) error {
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("%s: %w. In the hub this takes the rights to get the namespace kube-system and, in namespace %s, to read, write and delete Secrets and to read Events and Leases: ask an administrator of the hub for them", what, err, o.ClusterNamespace)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// inMember is inHub for an error of the member.
func inMember(what string, err error) error {
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("%s: %w. Registering takes the rights of an administrator in the member: ask one to run this, or to apply what it prints with -o yaml", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
