package kubeconfig

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestRefusedError(t *testing.T) {
	var user strings.Builder
	for i := range maxFaults + 3 {
		fmt.Fprintf(&user, "x%d: %s\n", i, marker)
	}
	_, err := Parse(kubeconfig("server: http://{{MARKER}}", goodUser+"\n"+user.String()))
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok || len(refused.Faults) != maxFaults || refused.Omitted != 4 {
		t.Fatalf("%v", err)
	}
	first, ok := errors.AsType[*FieldError](fmt.Errorf("member x: %w", err))
	if !ok || first.Field != "clusters[name=member].cluster.server" || first.Line != 8 {
		t.Errorf("first fault %#v", first)
	}
	if text := err.Error(); !strings.HasSuffix(text, "; and 4 more") || strings.ContainsAny(text, "\n\r") {
		t.Errorf("text %q", text)
	}
}
