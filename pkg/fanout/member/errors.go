package member

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
)

// errContested says that another writer keeps undoing what fanout writes.
var errContested = errors.New("another writer keeps changing what fanout sets; putting it back at longer intervals")

// errNamespaceNotAllowed says that a member's owner does not take what a parent's namespace sends.
var errNamespaceNotAllowed = errors.New("the member takes no Canaries from this namespace, by the annotation " + clusters.AnnotationNamespaces +
	" on its Secret; take the agent out of agentSelector, or ask the member's owner to allow the namespace")

// conflictRecheck is how often an object that is not fanout's is looked at again: it carries no label that the
// watch selects, so nothing tells when it goes or is handed over.
const conflictRecheck = 30 * time.Second

// maxClientDelay is the longest time for which a member can have a place left alone.
const maxClientDelay = 5 * time.Minute

// ConflictError says that an object which is not this hub's stands where a derived Canary should.
type ConflictError struct {
	// Key is the object's place in the member.
	Key types.NamespacedName
	// Owner is the ID of the hub that owns it, empty where none does.
	Owner string
}

func (e *ConflictError) Error() string {
	owner := "was not created by fanout"
	if e.Owner != "" {
		owner = fmt.Sprintf("belongs to the hub with ID %q", e.Owner)
	}
	return fmt.Sprintf("Canary %s exists in the member and %s; it stays as it is. Delete or rename one of the two, or hand it over with: kubectl annotate canary -n %s %s %s=true",
		e.Key, owner, e.Key.Namespace, e.Key.Name, derive.AnnotationAdopt)
}

// errNotKubernetes says that a member answers something else than a Kubernetes API does.
var errNotKubernetes = errors.New("the server answers, but not as a Kubernetes API")

// unrepeated returns err without the whole answer in it, where that is no Kubernetes object: it may be anything.
func unrepeated(err error) error {
	if runtime.IsMissingKind(err) || runtime.IsMissingVersion(err) {
		return errNotKubernetes
	}
	return err
}

// laterError says when another attempt makes sense; an after of 0 means not before something changes.
type laterError struct {
	after time.Duration
	err   error
}

func (e *laterError) Error() string { return e.err.Error() }
func (e *laterError) Unwrap() error { return e.err }

// classify gives an error of the member's API its delay where that is not the backoff's to choose.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var unknown *UnknownFieldError
	var altered *AlteredError
	if errors.As(err, &unknown) || errors.As(err, &altered) {
		return &laterError{err: err}
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err
	}
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok && seconds > 0 {
		return &laterError{after: min(time.Duration(seconds)*time.Second, maxClientDelay), err: err}
	}
	switch status.Status().Code {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		// What the member's schema does not accept, it will not accept in a second either: the next edit, or
		// the next resync, tries again.
		return &laterError{err: err}
	}
	if isMistyped(status) {
		return &laterError{err: err}
	}
	return err
}

// Reasons that more than their name hangs on.
const (
	reasonForbidden   = "Forbidden"
	reasonCRDMissing  = "CanaryCRDMissing"
	reasonTerminating = "Terminating"
	reasonUnavailable = "Unavailable"
)

// reason is the error's class, as metrics and Events name it.
func reason(err error) string {
	var conflict *ConflictError
	var terminating *TerminatingError
	var unknown *UnknownFieldError
	var altered *AlteredError
	var status apierrors.APIStatus
	switch {
	case errors.As(err, &conflict):
		return "Conflict"
	case errors.As(err, &terminating):
		return reasonTerminating
	case errors.Is(err, errContested):
		return "Contested"
	case errors.Is(err, errNamespaceNotAllowed):
		return "NamespaceNotAllowed"
	case errors.Is(err, ErrHubUnknown):
		return "HubUnknown"
	case apierrors.IsUnauthorized(err):
		return "Unauthorized"
	case isCRDMissing(err), isCRDTerminating(err):
		return reasonCRDMissing
	case isNamespaceMissing(err):
		return "NamespaceMissing"
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return "NamespaceTerminating"
	case apierrors.IsForbidden(err):
		return reasonForbidden
	case errors.As(err, &unknown):
		return "UnknownField"
	case errors.As(err, &altered):
		return "Altered"
	case errors.As(err, &status) && isMistyped(status):
		return "Rejected"
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return "Rejected"
	case apierrors.IsTooManyRequests(err):
		return "Throttled"
	default:
		return reasonUnavailable
	}
}

// isCRDMissing tells a member that does not serve Canaries, and so answers with a plain 404, from one that
// lacks an object, and answers with a Status.
func isCRDMissing(err error) bool {
	return apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// isCRDTerminating tells the refusal to create a Canary while their CRD is on its way out from one for want of rights. Both
// are 403, and the words are all that tells them apart.
func isCRDTerminating(err error) bool {
	var status apierrors.APIStatus
	return apierrors.IsForbidden(err) && errors.As(err, &status) &&
		strings.Contains(status.Status().Message, "not allowed while custom resource definition is terminating")
}

// isNamespaceMissing tells the 404 of a write into a namespace that is not there.
func isNamespaceMissing(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &status) {
		return false
	}
	details := status.Status().Details
	return details != nil && details.Kind == namespaces.Resource
}
