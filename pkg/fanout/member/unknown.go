package member

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// UnknownFieldError says that the member's Canary CRD does not know all that the copy sets: see docs/adr/0004.
type UnknownFieldError struct {
	// Key is the copy's place in the member.
	Key types.NamespacedName
	// Fields are the unknown fields that the API server named. It may name the first only.
	Fields []string
}

func (e *UnknownFieldError) Error() string {
	return fmt.Sprintf("the member's Canary CRD does not know %s, which Canary %s sets; install there the CRD that the hub has. Until then the copy is neither created nor changed, for it would check less than was asked for",
		strings.Join(e.Fields, ", "), e.Key)
}

// AlteredError says that the member accepted a copy and keeps another than it was sent.
type AlteredError struct {
	// Key is the copy's place in the member.
	Key types.NamespacedName
	// Fields are what it did not keep as it was.
	Fields []string
}

func (e *AlteredError) Error() string {
	return fmt.Sprintf("the member does not keep %s of Canary %s as it was sent: its Canary CRD does not declare all of it, or an admission webhook there changes it. What stands there does not check all that was asked for",
		strings.Join(e.Fields, ", "), e.Key)
}

// unknownField finds the fields in an API server's words: those of server-side apply, which names one, with a 500, or those of
// strict field validation, with which others than fanout may answer.
var unknownField = regexp.MustCompile(`\.(\S+): field not declared in schema|unknown field \\?"([^"\\]+)\\?"`)

// unknownFields returns the fields that err says the member does not know.
func unknownFields(err error) []string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return nil
	}
	var fields []string
	for _, found := range unknownField.FindAllStringSubmatch(status.Status().Message, maxUnknownFields) {
		fields = append(fields, found[1]+found[2])
	}
	return fields
}

// maxUnknownFields bounds what of a member's words is repeated.
const maxUnknownFields = 10

// isMistyped tells that a member's schema and the copy do not go together. Server-side apply answers that with a 500.
func isMistyped(status apierrors.APIStatus) bool {
	return strings.HasPrefix(status.Status().Message, "failed to create typed ")
}
