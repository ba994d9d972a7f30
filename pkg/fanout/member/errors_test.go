package member

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"fanout/pkg/fanout/derive"
)

func TestErrors(t *testing.T) {
	const backoff, onChange = -1, 0
	canaries, kind := derive.Canaries.GroupResource(), schema.GroupKind{Group: derive.Canaries.Group, Kind: derive.Kind}
	plain := func(code int) error {
		return apierrors.NewGenericServerResponse(code, "PATCH", canaries, "api", "", 0, true)
	}
	unknownField := apierrors.NewInvalid(kind, "api", field.ErrorList{field.Invalid(field.NewPath("spec", "http"), "x", "unknown field")})

	for _, row := range []struct {
		name   string
		err    error
		reason string
		after  time.Duration
	}{
		{"not an object of this hub's", &laterError{after: conflictRecheck, err: &ConflictError{Key: at("api")}}, "Conflict", 30 * time.Second},
		{"held by finalizers", &laterError{err: &TerminatingError{Key: at("api")}}, "Terminating", onChange},
		{"fighting", &laterError{after: time.Second, err: errContested}, "Contested", time.Second},
		{"the hub is unknown", fmt.Errorf("%w: gone", ErrHubUnknown), "HubUnknown", backoff},
		{"the hub answers 401 to the guard", fmt.Errorf("%w: %w", ErrHubUnknown, apierrors.NewUnauthorized("x")), "HubUnknown", backoff},
		{"401", apierrors.NewUnauthorized("expired"), "Unauthorized", backoff},
		{"401 from a proxy", plain(401), "Unauthorized", backoff},
		{"403", apierrors.NewForbidden(canaries, "api", errors.New("no")), "Forbidden", backoff},
		{"422 for a field that the member does not know", unknownField, "Rejected", onChange},
		{"400", apierrors.NewBadRequest("strict decoding"), "Rejected", onChange},
		{"413", apierrors.NewRequestEntityTooLargeError("too large"), "Rejected", onChange},
		{"413 from a proxy", plain(413), "Rejected", onChange},
		{"404 of a member that serves no Canaries", plain(404), "CanaryCRDMissing", backoff},
		{"404 of a Canary", apierrors.NewNotFound(canaries, "api"), "Unavailable", backoff},
		{"404 of a namespace", apierrors.NewNotFound(namespaces.GroupResource(), "payments"), "NamespaceMissing", backoff},
		{"403 of a namespace that goes", causedBy(corev1.NamespaceTerminatingCause), "NamespaceTerminating", backoff},
		{"403 while the CRD goes", apierrors.NewForbidden(canaries, "api", errors.New("create not allowed while custom resource definition is terminating")), "CanaryCRDMissing", backoff},
		{"a field that server-side apply does not know", &UnknownFieldError{Key: at("api"), Fields: []string{"spec.http"}}, "UnknownField", onChange},
		{"what the member did not keep", &AlteredError{Key: at("api"), Fields: []string{"spec.http"}}, "Altered", onChange},
		{"a type that server-side apply does not take", &apierrors.StatusError{ErrStatus: metav1.Status{Code: 500, Message: "failed to create typed patch object (payments/api): .spec.schedule: expected string"}}, "Rejected", onChange},
		{"409", apierrors.NewConflict(canaries, "api", errors.New("changed")), "Unavailable", backoff},
		{"429 that says when", apierrors.NewTooManyRequests("slow down", 7), "Throttled", 7 * time.Second},
		{"429 that does not", apierrors.NewTooManyRequestsError("slow down"), "Throttled", backoff},
		{"500", apierrors.NewInternalError(errors.New("etcd")), "Unavailable", backoff},
		{"500 that says when", apierrors.NewServerTimeout(canaries, "patch", 3), "Unavailable", 3 * time.Second},
		{"500 that does not", apierrors.NewServerTimeout(canaries, "patch", 0), "Unavailable", backoff},
		{"503", apierrors.NewServiceUnavailable("starting"), "Unavailable", backoff},
		{"504 that says when", apierrors.NewTimeoutError("slow", 2), "Unavailable", 2 * time.Second},
		{"no answer", &url.Error{Op: "Patch", URL: "https://eu-west-prod", Err: errors.New("connection refused")}, "Unavailable", backoff},
		{"no answer in time", context.DeadlineExceeded, "Unavailable", backoff},
	} {
		t.Run(row.name, func(t *testing.T) {
			wrapped := fmt.Errorf("apply Canary payments/api: %w", row.err)
			classified := classify(wrapped)
			if !errors.Is(classified, row.err) || classified.Error() != wrapped.Error() {
				t.Errorf("classify made %q of it", classified)
			}
			if got := reason(classified); got != row.reason {
				t.Errorf("the reason is %s, want %s", got, row.reason)
			}
			var later *laterError
			switch isLater := errors.As(classified, &later); {
			case !isLater && row.after != backoff:
				t.Error("the backoff chooses the delay")
			case isLater && later.after != row.after:
				t.Errorf("the delay is %s", later.after)
			}
		})
	}
	if err := classify(nil); err != nil {
		t.Errorf("classify(nil) is %v", err)
	}
}

func causedBy(cause metav1.CauseType) error {
	err := apierrors.NewForbidden(derive.Canaries.GroupResource(), "api", errors.New("no"))
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: cause}}
	return err
}

func TestUnknownFields(t *testing.T) {
	answer := func(message string) error {
		return fmt.Errorf("apply: %w", &apierrors.StatusError{ErrStatus: metav1.Status{Code: 500, Message: message}})
	}
	for _, row := range []struct {
		err    error
		fields []string
	}{
		{nil, nil},
		{errors.New(`unknown field "spec.http"`), nil}, // no answer of an API server's
		{answer("etcd is away"), nil},
		{answer("failed to create typed patch object (a/b; canaries.flanksource.com/v1, Kind=Canary): .spec.http[0].responseCodes: field not declared in schema"), []string{"spec.http[0].responseCodes"}},
		{answer(`strict decoding error: unknown field "spec.http", unknown field "spec.icon"`), []string{"spec.http", "spec.icon"}},
		{answer(`Invalid value: "{\"unknown\":1}": strict decoding error: unknown field \"spec.http\"`), []string{"spec.http"}},
	} {
		mustEqual(t, fmt.Sprint(row.err), unknownFields(row.err), row.fields)
	}
	many := unknownFields(answer(strings.Repeat(`unknown field "x" `, 1000)))
	mustEqual(t, "bounded", len(many), maxUnknownFields)
}

func TestMissingThings(t *testing.T) {
	canaries := derive.Canaries.GroupResource()
	for _, row := range []struct {
		name           string
		err            error
		crd, namespace bool
	}{
		{"nothing", nil, false, false},
		{"a Canary", apierrors.NewNotFound(canaries, "api"), false, false},
		{"a namespace", apierrors.NewNotFound(namespaces.GroupResource(), "payments"), false, true},
		{"the CRD", apierrors.NewGenericServerResponse(404, "GET", canaries, "api", "404 page not found", 0, true), true, false},
		{"a namespace that may not be used", apierrors.NewForbidden(namespaces.GroupResource(), "payments", errors.New("terminating")), false, false},
		{"no detail", &apierrors.StatusError{ErrStatus: metav1.Status{Reason: metav1.StatusReasonNotFound, Code: 404}}, false, false},
		{"not an answer", errors.New("namespaces not found"), false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := row.err
			if err != nil {
				err = fmt.Errorf("apply: %w", err)
			}
			if got := isCRDMissing(err); got != row.crd {
				t.Errorf("isCRDMissing: %t", got)
			}
			if got := isNamespaceMissing(err); got != row.namespace {
				t.Errorf("isNamespaceMissing: %t", got)
			}
		})
	}
}

func TestAConflictSaysWhoseItIsAndHowToHandItOver(t *testing.T) {
	for owner, says := range map[string]string{
		"":       "was not created by fanout",
		otherHub: `belongs to the hub with ID "` + otherHub + `"`,
	} {
		text := (&ConflictError{Key: at("api"), Owner: owner}).Error()
		for _, part := range []string{"payments/api", says, "kubectl annotate canary -n payments api fanout.flanksource.com/adopt=true"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q does not say %q", text, part)
			}
		}
	}
}
